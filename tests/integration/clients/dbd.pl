# SPDX-License-Identifier: Apache-2.0
#
# DBD::mysql: emulated and server-side prepared statements, transactions, errors, several results.
use strict;
use warnings;
use utf8;
use DBI;

binmode STDOUT, ':encoding(UTF-8)';

sub connected {
    my (%options) = @_;
    my $where = "host=$ENV{WEIR_TEST_HOST};port=$ENV{WEIR_TEST_PORT};database=$ENV{WEIR_TEST_DATABASE};mysql_multi_statements=1";
    $where .= ';mysql_server_prepare=1' if $options{server_prepare};
    return DBI->connect("DBI:mysql:$where", $ENV{WEIR_TEST_USER}, $options{password} // $ENV{WEIR_TEST_PASSWORD},
        { RaiseError => 0, PrintError => 0, mysql_enable_utf8mb4 => 1 });
}

sub show_rows {
    my ($name, $statement) = @_;
    while (my $row = $statement->fetchrow_arrayref) {
        print "$name: ", join(' | ', map { defined $_ ? $_ : 'NULL' } @$row), "\n";
    }
}

for my $server_prepare (0, 1) {
    my $dbh = connected(server_prepare => $server_prepare) or die $DBI::errstr;
    print "server prepare $server_prepare\n";
    $dbh->do('CREATE OR REPLACE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(50), n DECIMAL(10,3), d DATE) ENGINE=InnoDB');
    my $insert = $dbh->prepare('INSERT INTO p (t, n, d) VALUES (?, ?, ?)');
    for my $row (['Grüße 🌍', 1.5, '2024-02-29'], [undef, undef, undef], ["it's", -3.125, '1000-01-01']) {
        print 'affected ', $insert->execute(@$row), ', id ', $dbh->{mysql_insertid}, "\n";
    }
    my $select = $dbh->prepare('SELECT * FROM p WHERE id >= ? ORDER BY id');
    for my $from (1, 3, 9) {
        $select->execute($from);
        print 'rows ', $select->rows, ', columns ', join(',', @{ $select->{NAME} }), "\n";
        show_rows('row', $select);
    }
    $dbh->begin_work;
    $dbh->do('DELETE FROM p');
    $dbh->rollback;
    print 'after the rollback ', $dbh->selectrow_array('SELECT COUNT(*) FROM p'), "\n";
    $dbh->do('SELECT * FROM nowhere') or print 'error ', $dbh->err, ' ', $dbh->state, ' ', $dbh->errstr, "\n";
    $dbh->do("INSERT INTO p (id) VALUES (1)") or print 'error ', $dbh->err, ' ', $dbh->state, ' ', $dbh->errstr, "\n";
    $dbh->do("INSERT IGNORE INTO p (id, n) VALUES (1, 'x')");
    print 'info ', $dbh->{mysql_info} // '-', ', warnings ', $dbh->{mysql_warning_count} // '-', "\n";
    if (!$server_prepare) {
        my $several = $dbh->prepare('SELECT 1; SELECT 2, 3; DO 1');
        $several->execute;
        do { show_rows('result', $several) if $several->{NUM_OF_FIELDS} } while ($several->more_results);
    }
    print 'ping ', $dbh->ping, "\n";
    $dbh->disconnect;
}
connected(password => 'wrong') or print "refused $DBI::err $DBI::errstr\n";
