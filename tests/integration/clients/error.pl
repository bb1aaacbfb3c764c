# SPDX-License-Identifier: Apache-2.0
#
# The error of a login, or of the statement after it, as DBD::MariaDB or DBD::mysql has it.
use strict;
use warnings;
use DBI;

my ($driver) = @ARGV;
my $dbh = DBI->connect("DBI:$driver:host=$ENV{WEIR_TEST_HOST};port=$ENV{WEIR_TEST_PORT}", $ENV{WEIR_TEST_USER},
    $ENV{WEIR_TEST_PASSWORD}, { RaiseError => 0, PrintError => 0 });
if ($dbh && !$dbh->do("SELECT 'wait for it'")) {
    print $dbh->err, ' ', $dbh->state, ' ', $dbh->errstr, "\n";
} elsif (!$dbh) {
    print "$DBI::err $DBI::state $DBI::errstr\n";
}
