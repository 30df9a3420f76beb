"""Sends, lists, reads, files and removes mail. Arguments: CA file, password, then the six ports."""
import imaplib
import poplib
import smtplib
import ssl
import sys
import time

authority, password = sys.argv[1:3]
submission, submissions, pop3, pop3s, imap, imaps = map(int, sys.argv[3:])
tls = ssl.create_default_context(cafile=authority)
host, ann, bob = "localhost", "ann@example.test", "bob@example.test"


def ok(answer):
    status, data = answer
    assert status == "OK", answer
    return data


def refused(action, error):
    try:
        action()
    except error as reason:
        return str(reason)
    raise AssertionError("it was not refused")


# SMTP
with smtplib.SMTP(host, submission) as smtp:
    assert "not" in refused(lambda: smtp.login(ann, password), smtplib.SMTPException)
    smtp.starttls(context=tls)
    smtp.login(ann, password)
    assert smtp.sendmail(ann, [bob], f"From: {ann}\r\nSubject: one\r\n\r\n.dot\r\n") == {}
    reason = refused(lambda: smtp.sendmail(ann, [bob], f"From: {bob}\r\n\r\nx"), smtplib.SMTPDataError)
    assert "does not have permissions to send as this sender" in reason, reason
    reason = refused(lambda: smtp.sendmail(bob, [bob], "x"), smtplib.SMTPSenderRefused)
    assert "does not have permissions to send as this sender" in reason, reason
    reason = refused(lambda: smtp.sendmail(ann, ["eve@elsewhere.test"], "x"), smtplib.SMTPRecipientsRefused)
    assert "Unable to relay" in reason and "send connector" in reason, reason
with smtplib.SMTP_SSL(host, submissions, context=tls) as smtp:
    assert "535" in refused(lambda: smtp.login(ann, "wrong"), smtplib.SMTPAuthenticationError)
    smtp.login(ann, password)
    big = f"From: {ann}\r\nSubject: two\r\n\r\n" + ("x" * 70 + "\r\n") * 10000
    smtp.sendmail(ann, [bob, ann], big)

# POP3
for session in (poplib.POP3(host, pop3), poplib.POP3_SSL(host, pop3s, context=tls)):
    if not isinstance(session, poplib.POP3_SSL):
        assert "SASL" not in session.capa() and "USER" not in session.capa()
        assert "Use STLS" in refused(lambda: session.user(bob), poplib.error_proto)
        session.stls(context=tls)
    session.user(bob)
    session.pass_(password)
    count, octets = session.stat()
    assert count == 2 and octets == sum(int(line.split()[1]) for line in session.list()[1])
    assert session.retr(1)[1][-1] == b".dot"
    lines = session.retr(2)[1]
    assert sum(len(line) + 2 for line in lines) == int(session.list(2).split()[2])
    assert len(session.top(2, 3)[1]) == lines.index(b"") + 4
    assert len(set(session.uidl()[1])) == 2
    session.dele(1)
    session.rset()
    session.quit()

# IMAP
box = imaplib.IMAP4(host, imap)
assert "PRIVACYREQUIRED" in refused(lambda: box.login(ann, password), imaplib.IMAP4.error)
box.starttls(ssl_context=tls)
assert "AUTHENTICATIONFAILED" in refused(lambda: box.login(ann, "wrong"), imaplib.IMAP4.error)
box.login(ann, password)
assert ok(box.select()) == [b"1"]
text = b'Subject: filed\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nB\xc3\xbcro hours\r\n--b--\r\n'
ok(box.create("Ordner/Tief"))
uid = int(ok(box.append("Ordner/Tief", r"(\Flagged $Work)", imaplib.Time2Internaldate(time.time()), text))[0].split()[2].rstrip(b"]"))
assert ok(box.select("Ordner/Tief")) == [b"1"]
assert ok(box.search(None, "FLAGGED", "KEYWORD", "$Work", "BODY", '"hours"')) == [b"1"]
box.literal = "büro".encode()
assert ok(box.search("UTF-8", "BODY")) == [b"1"]
data = ok(box.fetch("1", "(UID FLAGS BODYSTRUCTURE BODY.PEEK[1])"))
assert f"UID {uid} ".encode() in data[0][0] and data[0][1] == b"B\xc3\xbcro hours", data
with imaplib.IMAP4_SSL(host, imaps, ssl_context=tls) as other:
    other.authenticate("PLAIN", lambda _: f"\0{ann}\0{password}".encode())
    ok(other.select("Ordner/Tief"))
    ok(other.store("1", "+FLAGS.SILENT", r"(\Answered)"))
    ok(other.uid("COPY", str(uid), "Archive"))
ok(box.noop())
assert any(b"\\Answered" in line for line in box.response("FETCH")[1]), "the other session's change is told"
ok(box.uid("MOVE", str(uid), "Trash"))
assert ok(box.search(None, "ALL")) == [b""]
assert b"MESSAGES 1" in ok(box.status("Trash", "(MESSAGES)"))[0]
ok(box.close())
ok(box.delete("Ordner/Tief"))
ok(box.rename("Ordner", "Neu"))
names = b" ".join(ok(box.list()))
assert b'"Neu"' in names and b"Ordner" not in names and b"\\Trash" in names, names
box.logout()
print("all is well")
