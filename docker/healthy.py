"""Health check of a container: what Airflow's api-server says of a component. Ends with 1 if it is not healthy."""

import json
import sys
import urllib.request

if __name__ == "__main__":
    address, component = sys.argv[1:]
    with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=8) as answer:
        state = json.load(answer)[component]["status"]
    sys.exit(state != "healthy")
