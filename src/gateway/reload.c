/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a reload, on the main thread. What can fail is done before anything is replaced, so that a
 * wrong file, certificate or address changes nothing at all. */
#include "gateway/reload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/backends.h"
#include "gateway/configuration.h"
#include "gateway/named_accounts.h"
#include "gateway/service_manager.h"

struct reload {
    struct gateway *gateway;
    struct reporting **reporting;
    struct listeners *listeners;
    uv_async_t asked; /* by a statement */
    /* What is being prepared; main thread. */
    bool is_going, again, by_signal;
    struct gateway_configuration *fresh;
    struct tls_context *tls; /* NULL: the one that there is stays */
    struct plugin_reloaded_settings *settings;
    struct strbuf notes;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_serving;
    enum { NOBODY, ASKED, ANSWERED } statement;
    int status; /* its answer */
    struct error error;
    struct strbuf said;
};

static void begin(struct reload *reload);
static void on_ready(void *user);

/* ---- The end of one ---- */

static void answer_statement(struct reload *reload, int status, const struct error *error)
{
    pthread_mutex_lock(&reload->lock);
    if (reload->statement == ASKED) {
        reload->statement = ANSWERED;
        reload->status = status;
        reload->error = *error;
        strbuf_reset(&reload->said);
        if (status == 0 && reload->notes.size)
            strbuf_add(&reload->said, reload->notes.data, reload->notes.size);
        pthread_cond_signal(&reload->changed);
    }
    pthread_mutex_unlock(&reload->lock);
}

static void drop_prepared(struct reload *reload)
{
    tls_context_free(reload->tls);
    reload->tls = NULL;
    plugin_reloaded_settings_free(reload->settings);
    reload->settings = NULL;
    gateway_configuration_drop(reload->fresh);
    reload->fresh = NULL;
}

static void finish(struct reload *reload, int status, const struct error *error)
{
    const char *whose = reload->by_signal ? "SIGHUP" : "ADMIN RELOAD CONFIG";
    drop_prepared(reload);
    reload->is_going = false;
    if (status)
        log_error("gateway", "%s: %s; nothing was changed", whose, error->message);
    else
        log_info("gateway", "%s: configuration and certificates read again", whose);
    if (status == 0 && reload->notes.size && !reload->notes.failed)
        log_warn("gateway", "%s: %s", whose, reload->notes.data);
    if (reload->by_signal)
        service_is_ready();
    else
        answer_statement(reload, status, error);
    if (reload->again)
        reload_by_signal(reload);
}

/* ---- Its steps ---- */

static bool is_made_by_itself(const struct gateway_options *options)
{
    return options->tls_automatic && !(options->tls_certificate && *options->tls_certificate);
}

/* A certificate that was made at start stays, unless there is one in a file now. */
static WEIR_MUST_CHECK int prepare_tls(struct reload *reload, struct error *error)
{
    const struct gateway_options *old = reload->gateway->options;
    const struct gateway_options *fresh = &reload->fresh->options;
    const struct tls_options tls = configuration_tls(fresh);
    const bool stays = is_made_by_itself(old) && is_made_by_itself(fresh);
    if (!stays && tls_context_open(&reload->tls, &tls, error))
        return -1;
    reload->fresh->offers_tls = stays || reload->tls;
    return configuration_check_tls(fresh, reload->fresh->offers_tls, error);
}

static WEIR_MUST_CHECK int prepare(struct reload *reload, struct error *error)
{
    const struct gateway_options *options = reload->gateway->options;
    if (!options->read_again)
        return error_set(error, "there is no configuration that could be read again");
    reload->fresh = options->read_again(options->read_again_user, reload->gateway->configuration,
                                        &reload->notes, error);
    if (!reload->fresh || configuration_prepare(reload->fresh, error) || prepare_tls(reload, error))
        return -1;
    reload->settings = plugin_reloaded_settings_read(reload->gateway->registry,
                                                     &reload->fresh->options.plugin_settings,
                                                     reload->by_signal, &reload->notes, error);
    if (!reload->settings)
        return -1;
    if (listeners_prepare(reload->listeners, &reload->fresh->options, error))
        return -1;
    if (backends_prepare(reload->gateway, reload->fresh, on_ready, reload, error) == 0)
        return 0;
    listeners_abandon(reload->listeners);
    return -1;
}

static void commit_tls(struct reload *reload)
{
    struct tls_context *current = atomic_load(&reload->gateway->tls);
    if (reload->tls && current)
        tls_context_adopt(current, reload->tls);
    else if (reload->tls)
        atomic_store(&reload->gateway->tls, reload->tls);
    reload->tls = NULL;
}

static void commit(struct reload *reload)
{
    struct gateway *gateway = reload->gateway;
    struct error error = {""};
    if (log_open(reload->fresh->options.log_file, &error)) { /* the last thing that can fail */
        listeners_abandon(reload->listeners);
        upstream_set_abandon(gateway->upstreams);
        finish(reload, -1, &error);
        return;
    }
    commit_tls(reload);
    backends_commit(gateway);
    log_set_level(reload->fresh->options.log_level);
    configuration_replace(gateway, reload->fresh);
    reload->fresh = NULL;
    uv_async_send(gateway->wake_workers);
    listeners_commit(reload->listeners);
    if (plugin_reloaded_settings_set(reload->settings, &error))
        log_error("plugin", "%s", error.message);
    if (reporting_reload(*reload->reporting, &error)) {
        log_error("status", "%s", error.message);
        strbuf_printf(&reload->notes, "%s%s", reload->notes.size ? "; " : "", error.message);
    }
    named_accounts_ask(gateway->named_accounts);
    finish(reload, 0, &error);
}

/* The servers that are new have been looked at. */
static void on_ready(void *user)
{
    commit(user);
}

static void begin(struct reload *reload)
{
    struct error error = {""};
    assert(!reload->is_going && !reload->fresh && !reload->tls);
    reload->is_going = true;
    strbuf_reset(&reload->notes);
    if (prepare(reload, &error))
        finish(reload, -1, &error);
    else if (upstream_set_is_prepared(reload->gateway->upstreams))
        commit(reload);
}

/* ---- Who asks ---- */

static bool is_serving(struct reload *reload)
{
    pthread_mutex_lock(&reload->lock);
    const bool is = reload->is_serving;
    pthread_mutex_unlock(&reload->lock);
    return is;
}

void reload_by_signal(struct reload *reload)
{
    struct error error = {""};
    if (log_open(reload->gateway->options->log_file, &error))
        log_error("gateway", "SIGHUP: %s", error.message);
    reload->again = reload->is_going;
    if (reload->is_going || !is_serving(reload))
        return;
    service_reloads();
    reload->by_signal = true;
    begin(reload);
}

static void on_asked(uv_async_t *async)
{
    struct reload *reload = async->data;
    pthread_mutex_lock(&reload->lock);
    const bool is_due = reload->statement == ASKED && reload->is_serving;
    pthread_mutex_unlock(&reload->lock);
    if (!is_due || (reload->is_going && !reload->by_signal))
        return;
    if (reload->is_going) {
        const struct error error = {"weir: a SIGHUP is being carried out; try again"};
        answer_statement(reload, -1, &error);
        return;
    }
    reload->by_signal = false;
    begin(reload);
}

/* The lock is held, and released while it waits. */
static void wait_for_answer(struct reload *reload)
{
    reload->statement = ASKED;
    uv_async_send(&reload->asked);
    while (reload->statement == ASKED)
        pthread_cond_wait(&reload->changed, &reload->lock);
}

int reload_by_statement(struct reload *reload, struct strbuf *notes, struct error *error)
{
    int status = -1;
    pthread_mutex_lock(&reload->lock);
    if (!reload->is_serving) {
        error_set(error, "weir is starting or shutting down; nothing was changed");
    } else if (reload->statement != NOBODY) {
        error_set(error, "another session's ADMIN RELOAD CONFIG is being carried out; try again");
    } else {
        wait_for_answer(reload);
        reload->statement = NOBODY;
        status = reload->status;
        *error = reload->error;
        strbuf_add(notes, reload->said.data, reload->said.size);
    }
    pthread_mutex_unlock(&reload->lock);
    return status;
}

/* ---- Its life ---- */

struct reload *reload_new(struct gateway *gateway, uv_loop_t *loop, struct reporting **reporting,
                          struct listeners *listeners)
{
    struct reload *reload = calloc(1, sizeof *reload);
    if (!reload)
        return NULL;
    reload->gateway = gateway;
    reload->reporting = reporting;
    reload->listeners = listeners;
    strbuf_init(&reload->notes);
    strbuf_init(&reload->said);
    pthread_mutex_init(&reload->lock, NULL);
    pthread_cond_init(&reload->changed, NULL);
    uv_async_init(loop, &reload->asked, on_asked);
    reload->asked.data = reload;
    return reload;
}

static void set_serving(struct reload *reload, bool is_serving)
{
    pthread_mutex_lock(&reload->lock);
    reload->is_serving = is_serving;
    pthread_mutex_unlock(&reload->lock);
}

void reload_start(struct reload *reload)
{
    set_serving(reload, true);
}

void reload_stop(struct reload *reload)
{
    const struct error error = {"weir is shutting down; nothing was changed"};
    set_serving(reload, false);
    if (reload->is_going)
        upstream_set_abandon(reload->gateway->upstreams);
    answer_statement(reload, -1, &error);
}

void reload_close(struct reload *reload)
{
    if (!uv_is_closing((uv_handle_t *)&reload->asked))
        uv_close((uv_handle_t *)&reload->asked, NULL);
}

void reload_free(struct reload *reload)
{
    if (!reload)
        return;
    drop_prepared(reload);
    strbuf_release(&reload->notes);
    strbuf_release(&reload->said);
    pthread_cond_destroy(&reload->changed);
    pthread_mutex_destroy(&reload->lock);
    free(reload);
}
