#!/bin/sh
# Installs the packages of an environment, train or vllm, into /opt/itdr (or the folder named second).
# For the two container definitions; make setup is for everything else.
set -eu
environment=$1
folder=${2:-/opt/itdr}
here=$(dirname "$0")

case $environment in
train) constraints="$here/constraints-cuda.txt" ;;
*) constraints="$here/constraints-$environment-cuda.txt" ;;
esac
requirements=$(mktemp)
sed -n 's/^ *- \([^ ]*==[^ ]*\)$/\1/p' "$here/$environment.yaml" >"$requirements"
[ -s "$requirements" ] || { echo "no packages in $here/$environment.yaml" >&2 && exit 1; }

python3 -m venv "$folder"
"$folder/bin/pip" install --no-cache-dir --constraint "$constraints" --requirement "$requirements"
rm "$requirements"
# The package itself is the mounted repository's.
printf '#!/bin/sh\nexec python -m itdr "$@"\n' >"$folder/bin/itdr"
chmod 755 "$folder/bin/itdr"
