#!/bin/sh
# Says what Samba's ntlm_auth would: yes to dora of the domain CORP, but does not look at the proof.
[ "$1" = --helper-protocol=ntlm-server-1 ] || exit 1
while read -r name value && [ "$name" != . ]; do
    case $name in
        NT-Domain::) domain=$(echo "$value" | base64 -d) ;;
        Username::) user=$(echo "$value" | base64 -d) ;;
        LANMAN-Challenge:) [ ${#value} = 16 ] && challenge=yes ;;
        NT-Response:) [ ${#value} -gt 88 ] && response=yes ;;
    esac
done
case $domain/$user/$challenge/$response in
    CORP/Dora.Smith/yes/yes) printf 'Authenticated: Yes\nUser-Session-Key: 00112233445566778899AABBCCDDEEFF\n.\n' ;;
    CORP/away/*) printf 'Authenticated: No\nAuthentication-Error: Reading winbind reply failed!\n.\n.\n' ;;
    *) printf 'Authenticated: No\nAuthentication-Error: Logon failure\n.\n.\n' ;;
esac
