#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stands in for lmp-device-register as an image has it (protocol facts, Foundries 3): its options as far as the scripts use them, its
# environment, its ping, its request, its files. Notes how it was called in $LMP_TEST_CALLS.
set -eu
echo "lmp-device-register DEVICE_API=${DEVICE_API-} PRODUCTION=${PRODUCTION-unset} $*" >> "$LMP_TEST_CALLS"
api=${DEVICE_API-https://api.foundries.io/ota/devices/}
token= name=
uuid=$(cat /proc/sys/kernel/random/uuid)
while [ $# -gt 0 ]; do
  case $1 in
    -T) token=$2; shift 2 ;;
    -n) name=$2; shift 2 ;;
    -t | -a) shift 2 ;;
    --start-daemon=0) shift ;;
    *) echo "unrecognised option '$1'" >&2; exit 255 ;;
  esac
done
directory=/var/sota
subject="/CN=$uuid/OU=acme"
[ -z "${PRODUCTION+set}" ] || subject="$subject/businessCategory=production"
status=$(curl -sS -I -o /dev/null -w '%{http_code}' "$api") || { echo "Unable to reach the device registration endpoint" >&2; exit 255; }
[ "$status" -lt 500 ] || exit 255
openssl ecparam -name prime256v1 -genkey -noout -out "$directory/pkey.pem"
openssl req -new -key "$directory/pkey.pem" -subj "$subject" -out "$directory/device.csr"
jq -n --rawfile csr "$directory/device.csr" --arg uuid "$uuid" --arg name "${name:-$uuid}" \
  '{"use-ostree-server": "true", "sota-config-dir": "/var/sota", "hardware-id": "intel-corei7-64", name: $name, uuid: $uuid, csr: $csr}' \
  > "$directory/request.json"
status=$(curl -sS -o "$directory/answer.json" -w '%{http_code}' -H "OSF-TOKEN: $token" -H 'Content-type: application/json' \
  --data-binary "@$directory/request.json" "$api")
if [ "$status" != 201 ]; then
  echo "Unable to create device: HTTP_$status $(cat "$directory/answer.json")" >&2
  exit 255
fi
for file in client.pem client.chained root.crt sota.toml; do
  jq -j --arg file "$file" '.[$file]' "$directory/answer.json" > "$directory/$file"
done
