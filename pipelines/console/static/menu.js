// Airflow's menu shows a plugin's page in a frame that forbids printing and new windows; this entry leaves the frame out.
globalThis.AirflowPlugin = () => {
  location.replace(new URL("hedui/", document.baseURI));
  return null;
};
