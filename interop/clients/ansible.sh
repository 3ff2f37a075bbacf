# Runs a playbook; the last line is what it has shown.
#   ansible.sh ANSIBLE_PLAYBOOK PLAYBOOK
set -u
/usr/bin/python3 "$1" -i localhost, "$2" || exit 1
echo "services, keys, sessions and locks by its modules"
