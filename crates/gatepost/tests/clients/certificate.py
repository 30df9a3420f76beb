"""Logs on by a client certificate, with Python's own libraries; the arguments: ca, certificate, key, imaps, pop3s, submissions."""
import base64, imaplib, poplib, smtplib, ssl, sys

authority, certificate, key, *ports = sys.argv[1:]
imaps, pop3s, submissions = map(int, ports)
context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(certificate, key)

imap = imaplib.IMAP4_SSL('localhost', imaps, ssl_context=context)
assert 'AUTH=EXTERNAL' in imap.capabilities, imap.capabilities
try:
    imap.authenticate('EXTERNAL', lambda _: b'bob@example.test')
    raise AssertionError('the certificate is not Bob\'s')
except imaplib.IMAP4.error as refused:
    assert 'AUTHENTICATIONFAILED' in str(refused), refused
assert imap.authenticate('EXTERNAL', lambda _: b'')[0] == 'OK'
assert imap.select()[0] == 'OK'
imap.logout()

pop3 = poplib.POP3_SSL('localhost', pop3s, context=context)
assert 'EXTERNAL' in pop3.capa()['SASL']
assert pop3._shortcmd('AUTH EXTERNAL =').startswith(b'+OK')
pop3.quit()

smtp = smtplib.SMTP_SSL('localhost', submissions, context=context)
smtp.ehlo()
assert 'EXTERNAL' in smtp.esmtp_features['auth'].split()
code, _ = smtp.docmd('AUTH', 'EXTERNAL ' + base64.b64encode(b'ann@example.test').decode())
assert code == 235, code
smtp.sendmail('ann@example.test', ['bob@example.test'], 'From: ann@example.test\r\nSubject: certified\r\n\r\n')
smtp.quit()

# Without a certificate there is no such mechanism, and everything else is as it was.
plain = imaplib.IMAP4_SSL('localhost', imaps, ssl_context=ssl.create_default_context(cafile=authority))
assert 'AUTH=EXTERNAL' not in plain.capabilities and 'AUTH=PLAIN' in plain.capabilities
print('all is well')
