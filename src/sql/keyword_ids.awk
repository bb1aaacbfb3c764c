# SPDX-License-Identifier: Apache-2.0
# Makes keyword_ids.h, the enumerators of keywords.gperf's rows, from keywords.gperf.
BEGIN {
    print "/* Made by keyword_ids.awk from keywords.gperf. */"
    print "#ifndef WEIR_SQL_KEYWORD_IDS_H"
    print "#define WEIR_SQL_KEYWORD_IDS_H"
    print "enum sql_word {"
    print "    SQL_NO_WORD,"
}
/^%%/ { rows = !rows; next }
rows { sub(/,/, "", $2); print "    " $2 "," }
END {
    print "    SQL_WORDS,"
    print "};"
    print "#endif"
}
