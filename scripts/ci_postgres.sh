#!/usr/bin/env bash
# The PostgreSQL of a CI run. `start` prints its URL: CI_DATABASE_URL, else the server on 127.0.0.1:5432, else
# one made for this run in a folder of its own, which `stop` ends and removes.
set -euo pipefail

default=postgres://postgres@127.0.0.1:5432/postgres
folder=${AGNES_DATA_DIR:?set by .ci/run}/postgres
port=54329

answers() {
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

as_postgres() {
    # initdb and postgres refuse to run as root.
    if ((EUID == 0)); then runuser -u postgres -- "$@"; else "$@"; fi
}

tool() {
    local found
    found=$(find /usr/lib/postgresql -name "$1" -path '*/bin/*' 2> /dev/null | sort -V | tail -1)
    echo "${found:-$1}"
}

install_server() {
    local as_root=()
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql
}

make_server() {
    [[ -n $(find /usr/lib/postgresql -name initdb 2> /dev/null) ]] || install_server
    chmod 711 "$AGNES_DATA_DIR"
    mkdir "$folder"
    if ((EUID == 0)); then chown postgres "$folder"; fi
    as_postgres "$(tool initdb)" -D "$folder/data" --username=postgres --auth=trust --encoding=UTF8
    as_postgres "$(tool pg_ctl)" -D "$folder/data" -l "$folder/log" -w start \
        -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder -c fsync=off"
}

case $1 in
    start)
        if [[ -n ${CI_DATABASE_URL:-} ]]; then
            echo "$CI_DATABASE_URL"
        elif answers 5432; then
            echo "$default"
        else
            [[ -d $folder ]] || make_server >&2
            echo "postgres://postgres@127.0.0.1:$port/postgres"
        fi
        ;;
    stop)
        if [[ -d $folder/data ]]; then
            as_postgres "$(tool pg_ctl)" -D "$folder/data" -m immediate stop > /dev/null
            rm -rf "$folder"
        fi
        ;;
esac
