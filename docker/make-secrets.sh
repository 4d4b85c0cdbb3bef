#!/bin/sh
# Secrets of docker/compose.yaml, each in a file of its own; what is there already is kept. Keep a copy of secrets/root.key apart from the data.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets workspace
random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }
make() { [ -s "secrets/$1" ] || cat >"secrets/$1"; }

random | make postgres_password
make pgpass <<END
postgres:5432:airflow:airflow:$(random)
postgres:5432:hedui:hedui:$(random)
postgres:5432:departments:departments:$(random)
END
make pgpass_postgres <secrets/pgpass
random | make fernet_key
random | make jwt_secret
random | make api_secret
head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' | make root.key
printf '{"staff": "%s", "reviewer": "%s", "auditor": "%s", "administrator": "%s"}\n' \
  "$(random | cut -c1-14)" "$(random | cut -c1-14)" "$(random | cut -c1-14)" "$(random | cut -c1-14)" | make passwords.json
[ -s secrets/broker_url ] || {
  password=$(random | tr -d '=')
  printf 'redis://:%s@redis:6379/0' "$password" | make broker_url
  printf 'requirepass %s\ndir /data\nappendonly yes\n' "$password" | make redis.conf
}
if [ "$(id -u)" = 0 ]; then
  chown -R 10001:10001 secrets workspace
  chown 999:999 secrets/postgres_password secrets/pgpass_postgres secrets/redis.conf
else
  # libpq and Hedui refuse a password or a key that others may read, so each file belongs to who reads it in its container
  echo "now: sudo chown -R 10001:10001 secrets workspace && sudo chown 999:999 secrets/postgres_password secrets/pgpass_postgres secrets/redis.conf"
fi
echo "users and passwords: secrets/passwords.json"
