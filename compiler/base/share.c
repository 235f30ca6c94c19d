/* What comes with the programs: where the RTL, the boards and the simulator's sources are.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/share.h"

#include "base/file.h"

#include <stdlib.h>

const char *const espl_rtl_files[ESPL_RTL_FILES] = {
        "espl_assert.svh",
        "espl_pkg.sv",
        "memory/espl_ram.sv",
        "memory/espl_ram_gated.sv",
        "compute/espl_add_pass.sv",
        "compute/espl_add_select.sv",
        "compute/espl_add_rows.sv",
        "compute/espl_row_sum.sv",
        "compute/espl_mul_pair.sv",
        "compute/espl_accumulate.sv",
        "compute/espl_lane_pair.sv",
        "compute/espl_gather.sv",
        "compute/espl_split.sv",
        "compute/espl_tree.sv",
        "compute/espl_mul_signed.sv",
        "compute/espl_mul_step.sv",
        "compute/espl_requant.sv",
        "compute/espl_requant_array.sv",
        "shell/espl_drain.sv",
        "shell/espl_sequencer.sv",
        "shell/espl_writer.sv",
        "shell/espl_loader.sv",
        "shell/espl_output.sv",
        "shell/espl_engine.sv",
        "link/espl_uart_rx.sv",
        "link/espl_uart_tx.sv",
        "link/espl_crc32c.sv",
        "link/espl_deframe.sv",
        "link/espl_link_receive.sv",
        "link/espl_link_feed.sv",
        "link/espl_link_keep.sv",
        "link/espl_link_send.sv",
        "link/espl_link.sv",
};

espl_status espl_share_find(const char *name, const char *marker, espl_arena *arena,
                            const char **folder, espl_error *err)
{
	const char *places[] = {getenv("ESPALIER_SHARE"), ESPALIER_SOURCE_DIR, ESPALIER_SHARE_DIR};

	for (int i = 0; i < 3; i++) {
		const char *at =
		        places[i] ? espl_arena_format(arena, "%s/%s", places[i], name) : NULL;

		if (at && espl_file_exists(espl_arena_format(arena, "%s/%s", at, marker))) {
			*folder = at;
			return ESPL_OK;
		}
	}
	return espl_fail(err, ESPL_IO, "%s/%s is neither in %s nor in %s; set ESPALIER_SHARE", name,
	                 marker, ESPALIER_SOURCE_DIR, ESPALIER_SHARE_DIR);
}
