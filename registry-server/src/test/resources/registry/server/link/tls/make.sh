set -e
days=36500
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -days $days -subj "/CN=Registry test CA" -out ca.pem 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out other-ca.key
openssl req -x509 -new -key other-ca.key -days $days -subj "/CN=Another test CA" -out other-ca.pem 2>/dev/null
issue() { # name ca san
  openssl req -new -key $1.key -subj "/CN=$1" -out $1.csr
  printf "subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth\n" "$3" > $1.ext
  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days $days -extfile $1.ext -out $1.pem 2>/dev/null
}
openssl ecparam -name prime256v1 -genkey -noout -out server.key   # SEC1, as consul tls makes
issue server ca server.dc1.consul
openssl genrsa -traditional -out client.key 2048 2>/dev/null      # PKCS#1
issue client ca client.dc1.consul
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out stranger.key  # PKCS#8
issue stranger other-ca server.dc1.consul
rm -f *.csr *.ext *.srl ca.key other-ca.key
