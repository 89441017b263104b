#!/bin/sh
# Stands in for the client that libssh's test server runs: `ssh`, and `dbclient` by the name of a link to this file.
#
# What ssh is told, Underpass is told word by word, but for three things: the port is the one that the server listens on,
# `ls` becomes a connection with standard input and output, and the server's payload has to come through it. UNDERPASS
# is the program. dbclient's options and its key are translated.
set -eu
server="-W payload:1 -p $PKD_PORT localhost"

case $0 in
*dbclient)
    shift 2 # -y -y
    key=$2
    shift 2
    dropbearconvert dropbear openssh "$key" "$key.openssh" 2>/dev/null
    # What it offers by itself where Underpass waits to be asked.
    set -- "$@" -F none -i "$key.openssh" -o StrictHostKeyChecking=no -o HostKeyAlgorithms='+ecdsa-sha2-*'
    ;;
esac

arguments=$#
while [ "$arguments" -gt 0 ]; do
    argument=$1
    shift
    arguments=$((arguments - 1))
    case $argument in
    -p | 1234 | localhost | ls) ;;
    *) set -- "$@" "$argument" ;;
    esac
done

# shellcheck disable=SC2086 # words without spaces
payload=$("$UNDERPASS" "$@" $server </dev/null)
echo "$payload"
[ "$payload" = hello ]
