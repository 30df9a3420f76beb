# Logs on by NTLM version 2 and prints what the server says to that.
#
# Arguments: the protocol, its port, the authority's file (TLS from the start; in clear where it is empty), user, password.
use strict;
use warnings;
use Authen::NTLM;
use IO::Socket::INET;
use IO::Socket::SSL;

my ($protocol, $port, $authority, $user, $password) = @ARGV;
my @peer = (PeerAddr => 'localhost', PeerPort => $port);
my $socket = $authority
    ? IO::Socket::SSL->new(@peer, SSL_ca_file => $authority, SSL_verifycn_scheme => 'smtp')
    : IO::Socket::INET->new(@peer);
$socket or die "connect: $!";
sub said { my $line = <$socket> // die "closed"; $line =~ s/\r\n//; return $line }
sub say_line { print $socket "$_[0]\r\n" }

said();
if ($protocol eq 'smtp') {
    say_line('EHLO client.test');
    while (said() !~ /^250 /) { }
}
ntlm_user($user);
ntlm_password($password);
ntlmv2(1);
say_line($protocol eq 'imap' ? 'a AUTHENTICATE NTLM' : 'AUTH NTLM');
said() =~ /^(\+|334) ?$/ or die "no invitation";
say_line(ntlm());
my ($challenge) = said() =~ /^(?:\+|334) (.+)/ or die "no challenge";
say_line(ntlm($challenge));
my $verdict = said();
# What comes before the tagged response.
$verdict = said() while $verdict =~ /^\* /;
print "$verdict\n";
