import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.Folder;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Reads or sends a message with Jakarta Mail at each port, after it was refused there with another secret.
 *
 * <p>Arguments: the authority's file, the mechanism, the user, then protocols and ports. The secret is in SECRET.
 */
class Client {
    public static void main(String[] arguments) throws Exception {
        var authority = trusting(Path.of(arguments[0]));
        var secret = System.getenv("SECRET");
        for (int at = 3; at < arguments.length; at += 2) {
            var protocol = arguments[at];
            var session = session(protocol, arguments[at + 1], authority, arguments[1]);
            try {
                visit(session, protocol, arguments[2], secret + "x");
                throw new AssertionError(protocol + ": the other secret was not refused");
            } catch (AuthenticationFailedException refused) {
                System.out.println(protocol + " refused: " + refused.getMessage());
            } catch (MessagingException refused) {
                // By POP3 it takes the error that a token is refused with for a success, and finds out by STAT.
                if (!protocol.startsWith("pop3") || !refused.toString().contains("Logon failure")) throw refused;
            }
            visit(session, protocol, arguments[2], secret);
        }
    }

    private static Session session(String protocol, String port, SSLSocketFactory authority, String mechanism) {
        var properties = new Properties();
        var prefix = "mail." + protocol + ".";
        properties.put(prefix + "host", "localhost");
        properties.put(prefix + "port", port);
        properties.put(prefix + "ssl.socketFactory", authority);
        properties.put(prefix + "ssl.checkserveridentity", "true");
        properties.put(prefix + "auth", "true");
        properties.put(prefix + "auth.mechanisms", mechanism);
        if (!protocol.endsWith("s")) {
            properties.put(prefix + "starttls.required", "true");
        }
        return Session.getInstance(properties);
    }

    private static void visit(Session session, String protocol, String user, String secret) throws Exception {
        if (protocol.startsWith("smtp")) {
            var text = "From: " + user + "\r\nTo: bob@example.test\r\nSubject: sent by Java\r\n\r\ntext\r\n";
            var message = new MimeMessage(session, new ByteArrayInputStream(text.getBytes()));
            try (var transport = session.getTransport(protocol)) {
                transport.connect(user, secret);
                transport.sendMessage(message, message.getAllRecipients());
            }
        } else {
            try (var store = session.getStore(protocol)) {
                store.connect(user, secret);
                var folder = store.getFolder("INBOX");
                folder.open(Folder.READ_ONLY);
                System.out.println(protocol + " read: " + folder.getMessage(1).getSubject());
                folder.close(false);
            }
        }
    }

    private static SSLSocketFactory trusting(Path authority) throws Exception {
        var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (var file = Files.newInputStream(authority)) {
            trusted.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        var context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context.getSocketFactory();
    }
}
