#!/bin/sh
# Chromium and a Chinese font, from Debian's packages, where this user may install them. Elsewhere the browser tests fail and
# say the same command; nothing is skipped.
have() { command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q .; }
have && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk fontconfig >/dev/null
fi
have || echo "browser tests will fail until you type: sudo apt-get install chromium fonts-noto-cjk fontconfig" >&2
exit 0
