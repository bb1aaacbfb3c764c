# SPDX-License-Identifier: Apache-2.0
#
# DBD::MariaDB, whose connection ends while it waits for a line: what ping and a statement make of it.
use strict;
use warnings;
use DBI;

my ($host, $port, $cause) = @ARGV;
$| = 1;
for my $first ('ping', 'statement') {
    my $dbh = DBI->connect("DBI:MariaDB:host=$host;port=$port", 'tester', 's3cret',
        { RaiseError => 0, PrintError => 0, mariadb_auto_reconnect => 1 }) or die $DBI::errstr;
    my ($id) = $dbh->selectrow_array('SELECT CONNECTION_ID()');
    $dbh->do('SET wait_timeout = 1') if $cause eq 'timeout';
    if ($first eq 'ping') {
        print "$id\n";
        <STDIN>;
        print 'ping: ', ($dbh->ping ? 'alive' : 'gone'), "\n";
    } else {
        my ($other) = DBI->connect("DBI:MariaDB:host=$host;port=$port", 'tester', 's3cret');
        $cause eq 'timeout' ? sleep 2 : $other->do("KILL $id");
    }
    my ($now) = $dbh->selectrow_array('SELECT CONNECTION_ID()');
    print "$first again: ", (defined $now ? ($now == $id ? 'same' : 'other') : $dbh->err . ' ' . $dbh->errstr), "\n";
    my ($then) = $dbh->selectrow_array('SELECT 1');
    print "$first then: ", $then // $dbh->err . ' ' . $dbh->errstr, "\n";
}
