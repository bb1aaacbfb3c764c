/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin v of these tests: a few variables and functions, and a flush. */
#ifndef WEIR_TESTS_LOCAL_DRIVER_PLUGIN_H
#define WEIR_TESTS_LOCAL_DRIVER_PLUGIN_H

static const char driver_plugin_manifest[] =
    "name = \"v\"\nkind = \"Audit\"\nversion = \"1\"\n"
    "onVariable = \"OnVariable\"\nonStatus = \"OnStatus\"\nonFlush = \"OnFlush\"\n"
    "onFunction = \"OnFunction\"\n"
    "export = [{extPoint=\"OnGeneralEvent\", impl=\"OnGeneralEvent\"}]\n"
    "[[sysVars]]\nname = \"v_file\"\ntype = \"str\"\nvalue = \"a\"\n"
    "[[sysVars]]\nname = \"v_limit\"\ntype = \"int\"\nvalue = 5\nmin = -9\nmax = 10\n"
    "scope = \"Global+Session\"\n"
    "[[sysVars]]\nname = \"v_mine\"\ntype = \"str\"\nvalue = \"\"\nscope = \"Session\"\n"
    "[[functions]]\nname = \"v_echo\"\narguments = 1\noptional = 1\nprivileges = []\n"
    "[[functions]]\nname = \"v_secret\"\n";

static const char driver_plugin_source[] =
    "#include <string.h>\n#include <weir/plugin.h>\n"
    "weir_verdict OnVariable(weir_session *session, weir_variable_event event, weir_variable *v)\n"
    "{\n"
    "    (void)session;\n"
    "    if (event != WEIR_VARIABLE_CHANGED && v->index == V_FILE && !strcmp(v->text.data, "
    "\"bad\"))\n"
    "        return weir_fail(\"bad is bad\");\n"
    "    if (event == WEIR_VARIABLE_CHANGED && !strcmp(v->text.data, \"odd\")) {\n"
    "        weir_log(WEIR_LOG_INFO, \"odd it is\");\n"
    "        weir_log(WEIR_LOG_WARN, \"%s\", \"odd\");\n"
    "        weir_log(WEIR_LOG_WARN, \"very odd\");\n"
    "    }\n"
    "    return WEIR_OK;\n"
    "}\n"
    "weir_verdict OnStatus(weir_session *session, weir_status *status)\n"
    "{\n"
    "    (void)session;\n"
    "    weir_status_number(status, \"v_events\", 7);\n"
    "    return WEIR_OK;\n"
    "}\n"
    "static int flushed;\n"
    "weir_verdict OnFlush(const weir_manifest *manifest)\n"
    "{\n"
    "    (void)manifest;\n"
    "    return flushed++ ? WEIR_OK : weir_fail(\"not yet\");\n"
    "}\n"
    "weir_verdict OnFunction(weir_session *session, weir_call *call)\n"
    "{\n"
    "    if (call->index == V_SECRET_FUNCTION)\n"
    "        return weir_refuse(session, 3000, \"HY001\", \"secret\");\n"
    "    if (call->arguments[0].data)\n"
    "        weir_return_text(call, call->arguments[0].data, call->arguments[0].size);\n"
    "    return WEIR_OK;\n"
    "}\n"
    "weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char "
    "*command)\n"
    "{\n"
    "    (void)session; (void)event; (void)command;\n"
    "    return WEIR_OK;\n"
    "}\n";

#endif
