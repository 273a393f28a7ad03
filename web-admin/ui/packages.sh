#!/bin/sh
# Installs the panel's packages with NPM ($1) unless those of package-lock.json are there already: `npm ci` takes all away first.
set -e
cd "$(dirname "$0")"
cmp -s package-lock.json node_modules/.installed && exit 0
"$1" ci --no-audit --no-fund --loglevel=error
cp package-lock.json node_modules/.installed
