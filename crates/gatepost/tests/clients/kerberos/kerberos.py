"""Logs on by a ticket of Ann with Debian's python3-gssapi; the arguments: ca, imaps, ExtendedProtectionPolicy."""
import hashlib, imaplib, ssl, sys

import gssapi
from gssapi.raw import ChannelBindings

authority, port, protection = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
KERBEROS = gssapi.OID.from_int_seq('1.2.840.113554.1.2.2')
SPNEGO = gssapi.OID.from_int_seq('1.3.6.1.5.5.2')


class Client:
    """One exchange; `binding` and `choice` may be wrong."""

    def __init__(self, mechanism, binding, choice):
        self.spnego, self.choice = mechanism == SPNEGO, choice
        name = gssapi.Name('imap@localhost', gssapi.NameType.hostbased_service)
        bindings = ChannelBindings(application_data=binding) if binding else None
        self.context = gssapi.SecurityContext(name=name, mech=mechanism, usage='initiate', channel_bindings=bindings)

    def __call__(self, challenge):
        if not self.context.complete:
            return self.context.step(challenge or None) or b''
        assert not self.spnego
        layers = self.context.unwrap(challenge)
        assert (layers.message, layers.encrypted) == (b'\1\0\0\0', False), layers
        return self.context.wrap(self.choice, False).message


def log_on(mechanism=KERBEROS, binding=None, choice=b'\1\0\0\0'):
    imap = imaplib.IMAP4_SSL('localhost', int(port), ssl_context=context)
    assert 'AUTH=GSSAPI' in imap.capabilities and 'AUTH=GSS-SPNEGO' in imap.capabilities
    certificate = hashlib.sha256(imap.sock.getpeercert(True)).digest()
    bound = {None: None, 'right': b'tls-server-end-point:' + certificate, 'wrong': b'tls-server-end-point:' + bytes(32)}
    client = Client(mechanism, bound[binding], choice)
    try:
        imap.authenticate('GSS-SPNEGO' if mechanism == SPNEGO else 'GSSAPI', client)
        imap.select()
        imap.logout()
        return True
    except imaplib.IMAP4.error as refused:
        imap.shutdown()
        return 'failed' in str(refused) and str(refused)


for mechanism in KERBEROS, SPNEGO:
    assert log_on(mechanism, 'right') is True
    assert (log_on(mechanism, 'wrong') is True) == (protection == 'None')
    assert (log_on(mechanism, None) is True) == (protection != 'Require')

assert log_on(binding='right', choice=b'\1\0\0\0ann@example.test') is True
assert log_on(binding='right', choice=b'\1\0\0\0bob@example.test') is not True
for choice in b'\2\0\0\0', b'\1\0\1\0', b'\1\0\0', b'':
    assert log_on(binding='right', choice=choice) is not True, choice


def refused(mechanism, token):
    imap = imaplib.IMAP4_SSL('localhost', int(port), ssl_context=context)
    try:
        imap.authenticate(mechanism, lambda _: token)
        raise AssertionError(token)
    except imaplib.IMAP4.error as why:
        assert 'AUTHENTICATIONFAILED' in str(why), why


if protection != 'Require':
    # A ticket that somebody has seen on its way: it was good for once.
    seen = Client(KERBEROS, None, None)(b'')
    imap = imaplib.IMAP4_SSL('localhost', int(port), ssl_context=context)
    try:
        imap.authenticate('GSSAPI', lambda challenge: b'no choice' if challenge else seen)
    except imaplib.IMAP4.error as malformed:
        assert 'not what the mechanism allows' in str(malformed), malformed
    refused('GSSAPI', seen)
refused('GSSAPI', b'no ticket')
# NTLM within the negotiation: as it is, and as the one that a client offers (RFC 4178).
refused('GSS-SPNEGO', b'NTLMSSP\0\1\0\0\0' + bytes(24))
refused('GSS-SPNEGO', bytes.fromhex('601c06062b0601050502a0123010a00e300c060a2b06010401823702020a'))
print('all is well')
