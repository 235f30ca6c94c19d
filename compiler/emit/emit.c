/* Plan in, folder out: parameters, memory images, manifest, RTL.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "emit/emit.h"

#include "base/file.h"
#include "base/share.h"
#include "emit/images.h"
#include "emit/manifest.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static espl_status make_folder(espl_arena *arena, const char *root, const char *name,
                               espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/%s", root, name);

	if (mkdir(path, 0777) && errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
	return ESPL_OK;
}

static espl_status write_text(espl_arena *arena, const char *root, const char *name,
                              const char *text, espl_error *err)
{
	return espl_file_write(espl_arena_format(arena, "%s/%s", root, name), text, strlen(text),
	                       err);
}

static espl_status copy_rtl(const char *from, const char *root, espl_arena *arena, espl_error *err)
{
	static const char *const folders[] = {"rtl", "rtl/memory", "rtl/compute", "rtl/shell",
	                                      "rtl/link"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		ESPL_TRY(make_folder(arena, root, folders[i], err));
	for (size_t i = 0; i < ESPL_RTL_FILES; i++) {
		espl_span file;

		ESPL_TRY(espl_file_read(espl_arena_format(arena, "%s/%s", from, espl_rtl_files[i]),
		                        arena, &file, err));
		ESPL_TRY(espl_file_write(
		        espl_arena_format(arena, "%s/rtl/%s", root, espl_rtl_files[i]), file.data,
		        file.size, err));
	}
	return ESPL_OK;
}

/* espl_top, or espl_top_baked, whose memories hold the program from the start. */
static const char *top_text(const espl_plan *plan, uint64_t program_identity, bool baked,
                            espl_arena *arena)
{
	const char *text =
	        baked ? "// espl_top_baked: the plan's engine with the program in its "
	                "memories; instances only.\n"
	              : "// espl_top: the engine that the plan asks for; instances only.\n";

	text = espl_arena_format(
	        arena,
	        "%s// SPDX-License-Identifier: Apache-2.0\n\n"
	        "`default_nettype none\n\n"
	        "module %s (\n"
	        "    input  wire logic        clk_i,\n"
	        "    input  wire logic        rst_ni,\n"
	        "    input  wire logic        in_tvalid_i,\n"
	        "    output      logic        in_tready_o,\n"
	        "    input  wire logic [63:0] in_tdata_i,\n"
	        "    input  wire logic        in_tlast_i,\n"
	        "    output      logic        out_tvalid_o,\n"
	        "    input  wire logic        out_tready_i,\n"
	        "    output      logic [63:0] out_tdata_o,\n"
	        "    output      logic        out_tlast_o,\n"
	        "    input  wire logic [ 2:0] status_address_i,\n"
	        "    output      logic [31:0] status_data_o\n"
	        ");\n\n"
	        "  espl_engine #(\n",
	        text,
	        baked ? "espl_top_baked #(\n"
	                "    parameter Images = \"image/\"  // what the images' names begin with, "
	                "seen from where the tool runs\n)"
	              : "espl_top");
#define X(name) \
	text = espl_arena_format(arena, "%s      .%s(%d),\n", text, #name, plan->engine.name);
	ESPL_ENGINE_LIST(X)
#undef X
	if (baked)
		text = espl_arena_format(arena,
		                         "%s      .Images(Images),\n"
		                         "      .ProgramIdentity(64'h%016llx),\n"
		                         "      .OutputBeats(%d),\n"
		                         "      .OutputDelay(%lld),\n",
		                         text, (unsigned long long)program_identity,
		                         plan->output_beats, (long long)plan->output_delay);
	return espl_arena_format(arena,
	                         "%s      .Identity(32'h%08x)\n"
	                         "  ) u_engine (\n"
	                         "      .clk_i,\n      .rst_ni,\n"
	                         "      .in_tvalid_i,\n      .in_tready_o,\n"
	                         "      .in_tdata_i,\n      .in_tlast_i,\n"
	                         "      .out_tvalid_o,\n      .out_tready_i,\n"
	                         "      .out_tdata_o,\n      .out_tlast_o,\n"
	                         "      .status_address_i,\n      .status_data_o,\n"
	                         "      .watch_layer_o(),\n      .watch_wide_o(),\n"
	                         "      .watch_output_o(),\n      .watch_vector_o(),\n"
	                         "      .watch_splits_o(),\n      .watch_enable_even_o(),\n"
	                         "      .watch_enable_odd_o(),\n      .watch_even_address_o(),\n"
	                         "      .watch_odd_address_o(),\n      .watch_data_o(),\n"
	                         "      .watch_vector_address_o(),\n      .watch_vector_data_o()\n"
	                         "  );\n\nendmodule\n\n`default_nettype wire\n",
	                         text, espl_engine_identity(&plan->engine));
}

/* Header {splits 16, count 16, address 24, 0, go, input, memory 5}. */
static uint64_t header(int memory, uint32_t splits, int address, int count)
{
	return (uint64_t)memory | (uint64_t)address << 8 | (uint64_t)count << 32 |
	       (uint64_t)splits << 48;
}

static void put_beat(unsigned char *to, uint64_t beat)
{
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(beat >> (8 * i));
}

/* The frames of all images, then the control frame with identity, output beats and delay. */
static unsigned char *program_bytes(const espl_plan *plan, espl_arena *arena, size_t *size,
                                    uint64_t *identity)
{
	size_t beats = 3, at = 0;
	unsigned char *out;

	for (int i = 0; i < plan->image_count; i++)
		beats += 1 + (size_t)plan->images[i].count * (size_t)plan->images[i].beats;
	out = espl_arena_calloc(arena, beats, 8);
	for (int i = 0; i < plan->image_count; i++) {
		const espl_image *image = &plan->images[i];
		const size_t count = (size_t)image->count * (size_t)image->beats;

		put_beat(out + 8 * at++,
		         header(image->memory, image->splits, image->address, image->count));
		for (size_t w = 0; w < count; w++)
			put_beat(out + 8 * at++, image->words[w]);
	}
	*identity = UINT64_C(0xcbf29ce484222325);
	for (size_t b = 0; b < 8 * at; b++)
		*identity = (*identity ^ out[b]) * UINT64_C(0x100000001b3);
	put_beat(out + 8 * at++, header(11, 0, 0, 2));
	put_beat(out + 8 * at++, *identity);
	put_beat(out + 8 * at++, (uint64_t)plan->output_beats | (uint64_t)plan->output_delay << 16);
	*size = 8 * at;
	return out;
}

static espl_status fill(const espl_plan *plan, const char *rtl_folder, const char *certificate,
                        const espl_kat *kat, const char *root, espl_arena *arena, espl_error *err)
{
	const char *net;
	unsigned char *program;
	size_t size, net_size;
	uint64_t identity;

	program = program_bytes(plan, arena, &size, &identity);
	ESPL_TRY(espl_file_write(espl_arena_format(arena, "%s/program.bin", root), program, size,
	                         err));
	ESPL_TRY(espl_net_print(plan->lowered->net, arena, &net, &net_size, err));
	ESPL_TRY(
	        espl_file_write(espl_arena_format(arena, "%s/net.json", root), net, net_size, err));
	ESPL_TRY(write_text(arena, root, "plan.json", plan->decisions, err));
	ESPL_TRY(write_text(arena, root, "certificate.txt", certificate, err));
	ESPL_TRY(make_folder(arena, root, "kat", err));
	ESPL_TRY(espl_file_write(espl_arena_format(arena, "%s/kat/input.bin", root),
	                         kat->input.data, kat->input.size, err));
	ESPL_TRY(espl_file_write(espl_arena_format(arena, "%s/kat/output.bin", root),
	                         kat->output.data, kat->output.size, err));
	ESPL_TRY(copy_rtl(rtl_folder, root, arena, err));
	ESPL_TRY(write_text(arena, root, "rtl/espl_top.sv", top_text(plan, identity, false, arena),
	                    err));
	ESPL_TRY(write_text(arena, root, "rtl/espl_top_baked.sv",
	                    top_text(plan, identity, true, arena), err));
	ESPL_TRY(espl_images_write(plan, root, arena, err));
	return write_text(arena, root, "manifest.json", espl_manifest_text(plan, identity, arena),
	                  err);
}

espl_status espl_emit(const espl_plan *plan, const char *rtl_folder, const char *certificate,
                      const espl_kat *kat, const char *path, espl_arena *arena, espl_error *err)
{
	espl_status status;
	const char *temporary;

	ESPL_TRY(espl_folder_begin(path, arena, &temporary, err));
	status = fill(plan, rtl_folder, certificate, kat, temporary, arena, err);
	if (!status)
		status = espl_folder_commit(temporary, path, err);
	if (status)
		espl_folder_abandon(temporary);
	return status;
}
