#!/bin/sh
# Makes the certificates of the tests beside it, with OpenSSL 3: each file holds a host's certificate and the authorities
# that go with it, keys are thrown away. Certificates are valid for a century unless their name says otherwise.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"

key() {
    case $2 in
        p256) openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" ;;
        p384) openssl ecparam -name secp384r1 -genkey -noout -out "$1.key" ;;
        p521) openssl ecparam -name secp521r1 -genkey -noout -out "$1.key" ;;
        ed25519) openssl genpkey -algorithm ed25519 -out "$1.key" ;;
        dsa) openssl dsaparam -genkey -noout -out "$1.key" 1024 2>/dev/null ;;
        *) openssl genrsa -out "$1.key" "$2" 2>/dev/null ;;
    esac
}

# issue NAME ISSUER KEY SUBJECT EXTENSIONS [OPTIONS OF openssl x509]
issue() {
    name=$1 issuer=$2 subject=$4 extensions=$5
    key "$1" "$3"
    shift 5
    openssl req -new -key "$name.key" -subj "$subject" -utf8 -out "$name.csr"
    printf '%b' "$extensions" > "$name.ext"
    if [ "$issuer" = itself ]; then
        set -- -signkey "$name.key" "$@"
    else
        set -- -CA "$issuer.pem" -CAkey "$issuer.key" "$@"
    fi
    openssl x509 -req -in "$name.csr" -days 36500 -extfile "$name.ext" -set_serial "0x$(openssl rand -hex 8)" \
        "$@" -out "$name.pem" 2>/dev/null
}

# show FILE CERTIFICATE…
show() {
    file=$1
    shift
    for certificate; do cat "$certificate.pem"; done > "$here/$file.pem"
}

CA='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
HOST='subjectAltName=DNS:bastion.example,DNS:*.wild.example,IP:192.0.2.1,IP:2001:db8::1\nkeyUsage=critical,digitalSignature\n'
SSH="${HOST}extendedKeyUsage=1.3.6.1.5.5.7.3.22\n"

issue root itself p256 '/O=Underpass/CN=root' "$CA"
issue other itself p256 '/O=Underpass/CN=root' "$CA"
issue middle root p256 '/O=Underpass/CN=middle' "$CA"
show root root
show other other

for kind in p256 p384 p521 ed25519 dsa 1024 2048; do
    issue "good-$kind" middle "$kind" "/C=CH/O=A, Inc./CN=bastion \"$kind\"" "$SSH"
    show "good-$kind" "good-$kind" middle
done
# The algorithms of authorities.
for kind in 2048 p384 p521 ed25519; do
    issue "by-$kind" root "$kind" "/CN=by $kind" "$CA"
    issue "host-by-$kind" "by-$kind" p256 /CN=host "$SSH"
    show "host-by-$kind" "host-by-$kind" "by-$kind"
done
issue pss root 2048 '/CN=pss' "$CA"
issue host-by-pss pss p256 /CN=host "$SSH" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
show host-by-pss host-by-pss pss
issue short root 1024 '/CN=short' "$CA"
issue host-by-short short p256 /CN=host "$SSH"
show host-by-short host-by-short short
issue sha1 root 2048 '/CN=sha1' "$CA"
issue host-by-sha1 sha1 p256 /CN=host "$SSH" -sha1
show host-by-sha1 host-by-sha1 sha1

# Purposes.
issue no-names middle p256 /CN=bastion.example 'subjectKeyIdentifier=hash\n'
show no-names no-names middle
issue any-purpose middle p256 /CN=host "${HOST}extendedKeyUsage=serverAuth,anyExtendedKeyUsage\n"
show any-purpose any-purpose middle
issue for-tls middle p256 /CN=host "${HOST}extendedKeyUsage=serverAuth,clientAuth\n"
show for-tls for-tls middle
issue for-clients middle p256 /CN=host "${HOST}extendedKeyUsage=1.3.6.1.5.5.7.3.21\n"
show for-clients for-clients middle
issue no-signing middle p256 /CN=host 'subjectAltName=DNS:bastion.example\nkeyUsage=critical,keyEncipherment\n'
show no-signing no-signing middle
issue authority root p256 /CN=host "${CA}subjectAltName=DNS:bastion.example\n"
show authority authority
issue middle-for-tls root p256 '/CN=for tls' "${CA}extendedKeyUsage=serverAuth\n"
issue by-middle-for-tls middle-for-tls p256 /CN=host "$HOST"
show by-middle-for-tls by-middle-for-tls middle-for-tls

# Those who may not certify.
issue not-ca root p256 '/CN=not ca' 'basicConstraints=critical,CA:FALSE\n'
issue by-not-ca not-ca p256 /CN=host "$SSH"
show by-not-ca by-not-ca not-ca
issue no-constraints root p256 '/CN=no constraints' 'keyUsage=keyCertSign\n'
issue by-no-constraints no-constraints p256 /CN=host "$SSH"
show by-no-constraints by-no-constraints no-constraints
issue no-cert-sign root p256 '/CN=no cert sign' 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n'
issue by-no-cert-sign no-cert-sign p256 /CN=host "$SSH"
show by-no-cert-sign by-no-cert-sign no-cert-sign

# Names, conditions, depth.
issue for-example root p256 '/CN=for example' "${CA}nameConstraints=critical,permitted;DNS:example,permitted;IP:192.0.2.0/255.255.255.0,permitted;IP:2001:db8::/ffff:ffff::\n"
issue within for-example p256 /CN=host "$SSH"
show within within for-example
issue beyond for-example p256 /CN=host 'subjectAltName=DNS:bastion.test\n'
show beyond beyond for-example
issue critical middle p256 /CN=host "${SSH}1.2.3.4=critical,ASN1:NULL\n"
show critical critical middle
issue not-critical middle p256 /CN=host "${SSH}1.2.3.4=ASN1:NULL\n"
show not-critical not-critical middle
issue last root p256 '/CN=last' 'basicConstraints=critical,CA:TRUE,pathlen:0\n'
issue by-last last p256 /CN=host "$SSH"
show by-last by-last last
issue below last p256 '/CN=below' "$CA"
issue by-below below p256 /CN=host "$SSH"
show by-below by-below below last
issue a1 root p256 /CN=a1 "$CA"
for at in 2 3 4 5 6 7; do issue "a$at" "a$((at - 1))" p256 "/CN=a$at" "$CA"; done
issue deep6 a6 p256 /CN=host "$SSH"
show deep6 deep6 a6 a5 a4 a3 a2 a1
issue deep7 a7 p256 /CN=host "$SSH"
show deep7 deep7 a7 a6 a5 a4 a3 a2 a1

# Times: 2020 to 2021, and 2090 on.
for time in past future; do
    [ "$time" = past ] && from=20200101000000Z to=20210101000000Z || { from=20900101000000Z; to=21000101000000Z; }
    mkdir "$time"
    : > "$time/index"
    printf '[ca]\ndefault_ca=here\n[here]\ndatabase=%s/index\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=any\nrand_serial=yes\nunique_subject=no\n[any]\ncommonName=supplied\n' \
        "$time" "$time" > "$time/config"
    printf '%b' "$SSH" > "$time/host"
    printf '%b' "$CA" > "$time/ca"
    key "$time" p256
    openssl req -new -key "$time.key" -subj /CN=host -out "$time.csr"
    openssl ca -batch -config "$time/config" -cert middle.pem -keyfile middle.key -in "$time.csr" -out "$time.pem" \
        -startdate "$from" -enddate "$to" -extfile "$time/host" -notext 2>/dev/null
    show "$time" "$time" middle
    key "$time-ca" p256
    openssl req -new -key "$time-ca.key" -subj "/CN=$time" -out "$time-ca.csr"
    openssl ca -batch -config "$time/config" -cert root.pem -keyfile root.key -in "$time-ca.csr" -out "$time-ca.pem" \
        -startdate "$from" -enddate "$to" -extfile "$time/ca" -notext 2>/dev/null
    issue "by-$time" "$time-ca" p256 /CN=host "$SSH"
    show "by-$time" "by-$time" "$time-ca"
done
issue controls middle p256 "/O=$(printf '\033')[31m/CN=a\\+b=c\\\\;<d>" "$SSH"
show controls controls middle

# As others see the keys.
for kind in p256 p384 p521 dsa 1024 2048; do
    openssl x509 -in "$here/good-$kind.pem" -noout -pubkey > pkcs8
    ssh-keygen -i -m PKCS8 -f pkcs8 > public
    ssh-keygen -l -f public | cut -d' ' -f2
done > "$here/fingerprints"
rm -r "$work"
