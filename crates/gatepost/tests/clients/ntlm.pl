# Logs on to POP3 by NTLM version 2, as Mail::POP3Client and its kin do.
use strict;
use warnings;
use Authen::NTLM;
use IO::Socket::INET;

my ($port, $user, $password) = @ARGV;
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "connect: $!";
sub said { my $line = <$socket> // die "closed"; $line =~ s/\r\n//; return $line }
sub say_line { print $socket "$_[0]\r\n" }

said();
ntlm_user($user);
ntlm_password($password);
ntlmv2(1);
say_line('AUTH NTLM');
said() =~ /^\+ ?$/ or die "no invitation";
say_line(ntlm());
my ($challenge) = said() =~ /^\+ (.+)/ or die "no challenge";
say_line(ntlm($challenge));
print said(), "\n";
