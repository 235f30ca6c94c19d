/* A pool of POSIX threads with one condition to start and one to end.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "interp/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct worker {
	espl_workers *workers;
	int number;
	pthread_t thread;
};

struct espl_workers {
	int threads, started;
	struct worker *list; /* [threads]; the first is the caller, without a thread */
	pthread_mutex_t mutex;
	pthread_cond_t begin, end;
	unsigned round; /* counts calls of espl_workers_run */
	int items, next, busy;
	bool over;
	void (*work)(void *, int, int);
	void *context;
};

/* Takes items until there are none. The mutex is held at begin and end. */
static void take_items(espl_workers *w, int number)
{
	while (w->next < w->items) {
		const int item = w->next++;

		pthread_mutex_unlock(&w->mutex);
		w->work(w->context, item, number);
		pthread_mutex_lock(&w->mutex);
	}
}

static void *serve(void *argument)
{
	struct worker *self = argument;
	espl_workers *w = self->workers;
	unsigned seen = 0;

	pthread_mutex_lock(&w->mutex);
	for (;;) {
		while (w->round == seen && !w->over)
			pthread_cond_wait(&w->begin, &w->mutex);
		if (w->over)
			break;
		seen = w->round;
		take_items(w, self->number);
		if (!--w->busy)
			pthread_cond_signal(&w->end);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

void espl_workers_run(espl_workers *w, int items, void (*work)(void *, int, int), void *context)
{
	if (w->threads == 1) {
		for (int i = 0; i < items; i++)
			work(context, i, 0);
		return;
	}
	pthread_mutex_lock(&w->mutex);
	w->items = items;
	w->next = 0;
	w->busy = w->threads - 1;
	w->work = work;
	w->context = context;
	w->round++;
	pthread_cond_broadcast(&w->begin);
	take_items(w, 0);
	while (w->busy)
		pthread_cond_wait(&w->end, &w->mutex);
	pthread_mutex_unlock(&w->mutex);
}

/* Signals go to the main thread. */
static int start(struct worker *worker)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&worker->thread, NULL, serve, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

espl_status espl_workers_create(int threads, espl_workers **out, espl_error *err)
{
	espl_workers *w = calloc(1, sizeof(*w));
	int failed = 0;

	if (w)
		w->list = calloc((size_t)threads, sizeof(*w->list));
	if (!w || !w->list) {
		free(w);
		return espl_fail(err, ESPL_NOMEM, "no memory for %d threads", threads);
	}
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->begin, NULL);
	pthread_cond_init(&w->end, NULL);
	w->threads = threads;
	w->started = 1;
	for (int i = 1; i < threads && !failed; i++) {
		w->list[i].workers = w;
		w->list[i].number = i;
		failed = start(&w->list[i]);
		w->started += !failed;
	}
	if (failed) {
		espl_fail(err, ESPL_NOMEM, "thread %d of %d: %s", w->started, threads,
		          strerror(failed));
		espl_workers_destroy(w);
		return ESPL_NOMEM;
	}
	*out = w;
	return ESPL_OK;
}

void espl_workers_destroy(espl_workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->mutex);
	w->over = true;
	pthread_cond_broadcast(&w->begin);
	pthread_mutex_unlock(&w->mutex);
	for (int i = 1; i < w->started; i++)
		pthread_join(w->list[i].thread, NULL);
	pthread_cond_destroy(&w->begin);
	pthread_cond_destroy(&w->end);
	pthread_mutex_destroy(&w->mutex);
	free(w->list);
	free(w);
}
