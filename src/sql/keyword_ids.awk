# SPDX-License-Identifier: Apache-2.0
# Makes keyword_ids.h from keywords.gperf: the enumerators of its rows, and the rows as X(name).
BEGIN {
    print "/* Made by keyword_ids.awk from keywords.gperf. */"
    print "#ifndef WEIR_SQL_KEYWORD_IDS_H"
    print "#define WEIR_SQL_KEYWORD_IDS_H"
    print "enum sql_word {"
    print "    SQL_NO_WORD,"
}
/^%%/ { rows = !rows; next }
rows {
    name = $1
    sub(/,/, "", name)
    sub(/,/, "", $2)
    print "    " $2 ","
    list = list "    X(" name ") \\\n"
}
END {
    print "    SQL_WORDS,"
    print "};"
    printf "#define SQL_KEYWORDS(X) \\\n%s\n", list
    print "#endif"
}
