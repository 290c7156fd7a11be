// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/legacy_scripts.h"

#include "base/result.h"

namespace birthmark::faces::factory_api {
namespace {

// Common to all: the configuration in a private file, and the root's key where it is. The PIN goes through that file and the environment,
// never through an argument.
constexpr std::string_view kPrologue = R"sh(#!/bin/sh
# Needs openssl; with HSM_MODULE set also pkcs11-tool and the openssl engine pkcs11.
set -eu
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
label=${HSM_TOKEN_LABEL:-device-gateway-root}
if [ -n "${HSM_MODULE:-}" ]; then
  cat >"$work/engine.cnf" <<EOF
openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
MODULE_PATH = $HSM_MODULE
PIN = $HSM_PIN
init = 0
EOF
  export OPENSSL_CONF="$work/engine.cnf"
  root_key="pkcs11:token=$label;object=root-ca;type=private"
else
  : >"$work/engine.cnf"
  root_key=factory_ca.key
fi
)sh";

constexpr std::string_view kCreateCa = R"sh(if [ -e factory_ca.pem ] || [ -e factory_ca.key ]; then
  echo "factory_ca.pem or factory_ca.key is there already" >&2
  exit 1
fi
cp "$work/engine.cnf" "$work/ca.cnf"
cat >>"$work/ca.cnf" <<EOF
[req]
prompt = no
distinguished_name = dn
x509_extensions = ext
[dn]
CN = Factory-CA
OU = @FACTORY@
[ext]
basicConstraints = CA:TRUE
keyUsage = keyCertSign, cRLSign
extendedKeyUsage = critical, clientAuth, serverAuth
subjectKeyIdentifier = hash
EOF
if [ -n "${HSM_MODULE:-}" ]; then
  pkcs11-tool --module "$HSM_MODULE" --token-label "$label" --login --pin env:HSM_PIN \
    --keypairgen --key-type EC:prime256v1 --id 01 --label root-ca >&2
  openssl req -new -x509 -days 7300 -sha256 -config "$work/ca.cnf" -engine pkcs11 -keyform engine -key "$root_key" \
    -out factory_ca.pem
else
  openssl ecparam -name prime256v1 -genkey -noout -out factory_ca.key
  openssl req -new -x509 -days 7300 -sha256 -config "$work/ca.cnf" -key "$root_key" -out factory_ca.pem
  chmod 400 factory_ca.key
fi
chmod 400 factory_ca.pem
)sh";

// Signs the request in $1 with the extensions in $work/ext.cnf.
constexpr std::string_view kSign = R"sh(sign() {
  if [ -n "${HSM_MODULE:-}" ]; then
    set -- "$1" -engine pkcs11 -CAkeyform engine
  fi
  csr=$1
  shift
  openssl req -in "$csr" -verify -noout >/dev/null 2>"$work/verify" || { cat "$work/verify" >&2; exit 1; }
  openssl x509 -req -in "$csr" -CA factory_ca.pem -CAkey "$root_key" "$@" -set_serial "0x4$(openssl rand -hex 19)" \
    -days 3650 -sha256 -extfile "$work/ext.cnf" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
}
)sh";

constexpr std::string_view kDeviceCaExtensions = R"sh(cat >"$work/ext.cnf" <<EOF
keyUsage = critical, keyCertSign
basicConstraints = critical, CA:TRUE, pathlen:0
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
EOF
)sh";

constexpr std::string_view kSignCa = R"sh(sign "$1"
)sh";

constexpr std::string_view kCreateDeviceCa = R"sh(key=$1
certificate=$2
if [ -e "$key" ] || [ -e "$certificate" ]; then
  echo "$key or $certificate is there already" >&2
  exit 1
fi
cat >"$work/ca.cnf" <<EOF
[req]
prompt = no
distinguished_name = dn
[dn]
CN = fio-@USER@
OU = @FACTORY@
EOF
# This key is a file, whatever the root's is: the engine keeps out of it.
OPENSSL_CONF=/dev/null openssl ecparam -name prime256v1 -genkey -noout -out "$key"
OPENSSL_CONF=/dev/null openssl req -new -sha256 -config "$work/ca.cnf" -key "$key" -out "$work/ca.csr"
sign "$work/ca.csr" >"$certificate"
chmod 400 "$key" "$certificate"
)sh";

constexpr std::string_view kSignTls =
    R"sh(names=$(openssl req -in "$1" -noout -text | sed -n '/X509v3 Subject Alternative Name/{n;s/[[:space:]]//g;p;}')
cat >"$work/ext.cnf" <<EOF
keyUsage = critical, digitalSignature, keyEncipherment, keyAgreement
extendedKeyUsage = critical, serverAuth
authorityKeyIdentifier = keyid
subjectAltName = $names
EOF
sign "$1"
)sh";

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string script;
  for (const std::string_view part : parts) script += part;
  return script;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
}

bool is_plain(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == std::string_view::npos;
}

}  // namespace

LegacyScripts legacy_scripts(std::string_view factory, std::string_view user_id) {
  BIRTHMARK_ASSERT(is_plain(factory) && is_plain(user_id));  // they stand in scripts that somebody else runs
  LegacyScripts scripts;
  scripts.create_ca = joined({kPrologue, kCreateCa});
  scripts.create_device_ca = joined({kPrologue, kSign, kDeviceCaExtensions, kCreateDeviceCa});
  scripts.sign_ca_csr = joined({kPrologue, kSign, kDeviceCaExtensions, kSignCa});
  scripts.sign_tls_csr = joined({kPrologue, kSign, kSignTls});
  for (std::string* script : {&scripts.create_ca, &scripts.create_device_ca, &scripts.sign_ca_csr, &scripts.sign_tls_csr}) {
    replace_all(*script, "@FACTORY@", factory);
    replace_all(*script, "@USER@", user_id);
  }
  return scripts;
}

}  // namespace birthmark::faces::factory_api
