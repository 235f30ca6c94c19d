/* Do programs run by their argument lists, side by side, and are they ended when we are?
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include "arena_fixture.h"
#include "unit.h"

#include "base/file.h"
#include "base/process.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void finds_programs_on_the_path(void **state)
{
	const char *sh = espl_process_find("sh", arena);

	(void)state;
	assert_non_null(sh);
	assert_int_equal(*sh, '/');
	assert_null(espl_process_find("no-such-program", arena));
	assert_string_equal(espl_process_find("/bin/sh", arena), "/bin/sh");
}

static void shows_what_a_person_would_type(void **state)
{
	const char *const argv[] = {"echo", "a b", "it's", "", "x=1", NULL};
	const espl_command command = {.argv = argv};

	(void)state;
	assert_string_equal(espl_command_text(&command, arena), "echo 'a b' 'it'\\''s' '' x=1");
}

static void gives_arguments_as_they_are(void **state)
{
	const char *const argv[] = {"printf", "%s|", "a b", "$HOME", "*", NULL};
	const espl_command command = {.argv = argv};
	const char *text;
	int code;

	(void)state;
	assert_int_equal(espl_process_read(&command, arena, &text, &code, NULL), ESPL_OK);
	assert_int_equal(code, 0);
	assert_string_equal(text, "a b|$HOME|*|");
}

static void says_how_programs_end(void **state)
{
	const char *const argv[] = {"sh", "-c", "exit 3", NULL};
	const char *const none[] = {"/no/such/program", NULL};
	const char *const killed[] = {"sh", "-c", "kill -SEGV $$", NULL};
	const espl_command commands[] = {{.argv = argv}, {.argv = none}, {.argv = killed}};
	int codes[3];

	(void)state;
	assert_int_equal(espl_process_run_all(commands, 3, 2, codes, NULL), ESPL_OK);
	assert_int_equal(codes[0], 3);
	assert_int_equal(codes[1], 127);
	assert_int_equal(codes[2], 128 + SIGSEGV);
}

static void appends_to_logs_in_the_folder_asked_for(void **state)
{
	char name[] = "/tmp/espalier_test_XXXXXX";
	const char *const argv[] = {"sh", "-c", "pwd; echo wrong >&2", NULL};
	espl_command command = {.argv = argv};
	espl_span file;
	int code;

	(void)state;
	command.folder = mkdtemp(name);
	assert_non_null(command.folder);
	command.log = espl_arena_format(arena, "%s/log", name);
	for (int i = 0; i < 2; i++)
		assert_int_equal(espl_process_run(&command, &code, NULL), ESPL_OK);
	assert_int_equal(espl_file_read(command.log, arena, &file, NULL), ESPL_OK);
	assert_string_equal((const char *)file.data,
	                    espl_arena_format(arena, "%s\nwrong\n%s\nwrong\n", name, name));
	espl_folder_abandon(name);
}

static void reads_no_more_than_it_keeps(void **state)
{
	const char *const argv[] = {"head", "-c", "200000", "/dev/zero", NULL};
	const espl_command command = {.argv = argv};
	const char *text;
	int code;

	(void)state;
	assert_int_equal(espl_process_read(&command, arena, &text, &code, NULL), ESPL_OK);
	assert_int_equal(code, 0);
}

static void on_signal(int number)
{
	(void)number;
}

/* A signal to us alone must end what we started. */
static void ends_what_it_started_when_interrupted(void **state)
{
	const struct sigaction action = {.sa_handler = on_signal};
	const char *const argv[] = {"sleep", "60", NULL};
	const espl_command commands[] = {{.argv = argv}, {.argv = argv}, {.argv = argv}};
	const time_t before = time(NULL);
	int codes[3];

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	assert_int_equal(espl_process_run_all(commands, 3, 2, codes, NULL), ESPL_INTERRUPTED);
	assert_true(time(NULL) - before < 30);
	assert_int_equal(codes[0], 128 + SIGTERM);
	assert_int_equal(codes[2], 127); /* never started */
}

/* One is over in time, one listens to the signal, one does not. */
static void ends_what_takes_too_long(void **state)
{
	const char *const quick[] = {"true", NULL};
	const char *const slow[] = {"sleep", "60", NULL};
	const char *const deaf[] = {"sh", "-c", "trap '' TERM; while :; do sleep 1; done", NULL};
	const espl_command commands[] = {{.argv = quick, .limit_s = 60},
	                                 {.argv = slow, .limit_s = 1},
	                                 {.argv = deaf, .limit_s = 1}};
	const time_t before = time(NULL);
	int codes[3];

	(void)state;
	assert_int_equal(espl_process_run_all(commands, 3, 3, codes, NULL), ESPL_OK);
	assert_int_equal(codes[0], 0);
	assert_int_equal(codes[1], ESPL_PROCESS_LATE);
	assert_int_equal(codes[2], ESPL_PROCESS_LATE);
	assert_true(time(NULL) - before < 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(finds_programs_on_the_path),
	        cmocka_unit_test(shows_what_a_person_would_type),
	        cmocka_unit_test(gives_arguments_as_they_are),
	        cmocka_unit_test(says_how_programs_end),
	        cmocka_unit_test(appends_to_logs_in_the_folder_asked_for),
	        cmocka_unit_test(reads_no_more_than_it_keeps),
	        cmocka_unit_test(ends_what_it_started_when_interrupted),
	        cmocka_unit_test(ends_what_takes_too_long),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
