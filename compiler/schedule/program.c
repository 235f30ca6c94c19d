/* The program: taps, weight streams, parameters, layer after layer.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "schedule/work.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum {
	SLOT_BITS = 15,
	REL_BITS = 13,
	ADDRESS_BITS = 17,
	CYCLE_BITS = 14,
	ROUND_BITS = ESPL_ROUND_BITS,
	MODE_ALL = 0,
	MODE_PER_SPLIT = 1,
	MODE_DENSE = 2,
};

typedef struct {
	espl_work *work;
	espl_tables *tables;
	espl_work_layer *layer;
	const espl_work_tensor *in, *out;
	int tap_bits;
	/* of the layer being written */
	int group_count, group_capacity;
	int *cycles, *loops;
	int64_t issued;
	int narrow_base, param_base, group_base, tap_base;
	int taps;
	int *tap; /* [channel][kernel position]: index in the tap table, -1 where none reads it */
} coder;

/* One stream of a group, in one split. */
typedef struct {
	int count, capacity;
	uint32_t *entries;
} stream;

bool espl_shares_step(const espl_work *work, const espl_work_layer *layer)
{
	return layer->layer.kind == ESPL_LAYER_DENSE && layer->layer.step_per_tensor &&
	       work->requantizers >= 4 &&
	       work->tensors[layer->layer.output].kind != ESPL_PLACE_WIDE;
}

static void push(coder *c, stream *to, int weight, int tap)
{
	if (to->count == to->capacity) {
		const int capacity = 2 * to->capacity + 64;
		uint32_t *entries = ESPL_ARRAY(c->work->arena, uint32_t, capacity);

		if (to->count)
			memcpy(entries, to->entries, (size_t)to->count * sizeof(*entries));
		to->entries = entries;
		to->capacity = capacity;
	}
	to->entries[to->count++] = (uint32_t)(uint8_t)weight | (uint32_t)tap << 8;
}

/* Appends a group: its streams, made equally long by weights of zero. */
static void put_group(coder *c, stream *streams, int loops, int base)
{
	espl_tables *t = c->tables;
	int n = 1, words;

	for (int s = 0; s < c->work->splits; s++)
		n = espl_greatest(n, streams[s].count);
	words = c->layer->plain ? (n + 1) / 2 : n;
	if (t->narrow_count + words > t->narrow_capacity) {
		const int capacity = 2 * (t->narrow_count + words) + 1024;

		for (int s = 0; s < c->work->splits; s++) {
			uint32_t *grown = ESPL_ARRAY(c->work->arena, uint32_t, capacity);

			if (t->narrow_count)
				memcpy(grown, t->narrow[s],
				       (size_t)t->narrow_count * sizeof(*grown));
			t->narrow[s] = grown;
		}
		t->narrow_capacity = capacity;
	}
	for (int s = 0; s < c->work->splits; s++) {
		uint32_t *to = t->narrow[s] + t->narrow_count;

		for (int i = 0; i < streams[s].count; i++) {
			const uint32_t entry = streams[s].entries[i];

			if (c->layer->plain)
				to[i / 2] |= (entry & 255) << i % 2 * 8;
			else
				to[i] = entry;
			c->issued += entry % 256 != 0;
		}
		streams[s].count = 0;
	}
	t->narrow_count += words;
	if (c->group_count == c->group_capacity) {
		const int capacity = 2 * c->group_capacity + 64;
		int *cycles = ESPL_ARRAY(c->work->arena, int, capacity);
		int *more = ESPL_ARRAY(c->work->arena, int, capacity);

		if (c->group_count) {
			memcpy(cycles, c->cycles, (size_t)c->group_count * sizeof(*cycles));
			memcpy(more, c->loops, (size_t)c->group_count * sizeof(*more));
		}
		c->cycles = cycles;
		c->loops = more;
		c->group_capacity = capacity;
	}
	c->cycles[c->group_count] = n;
	c->loops[c->group_count++] = loops;
	t->most_cycles = espl_greatest(t->most_cycles, n);
	{
		const int index = espl_table_append(c->work->arena, &t->group, 1);

		espl_put_bits(&t->group.words[index], 0, CYCLE_BITS, (uint64_t)n);
		espl_put_bits(&t->group.words[index], CYCLE_BITS, 5, (uint64_t)loops);
		espl_put_bits(&t->group.words[index], CYCLE_BITS + 5, ADDRESS_BITS, (uint64_t)base);
	}
}

/* Param, full: {even half 1, even 3, dest 17, mask 16, negative 24, positive 24, shift 6,
 * multiplier 28, bias 24, 0} */
static void put_record(coder *c, const espl_step *step, uint32_t mask, int dest)
{
	espl_table *to = &c->tables->param;
	const int index = espl_table_append(c->work->arena, to, 1);
	uint64_t *word = to->words + (size_t)index * (size_t)to->width_beats;
	int low = 1;

	espl_put_bits(word, low, 24, (uint64_t)(int64_t)step->bias);
	espl_put_bits(word, low += 24, ESPL_MULTIPLIER_BITS, (uint64_t)step->multiplier);
	espl_put_bits(word, low += ESPL_MULTIPLIER_BITS, 6, (uint64_t)step->shift);
	espl_put_bits(word, low += 6, ROUND_BITS, (uint64_t)(int64_t)step->positive);
	espl_put_bits(word, low += ROUND_BITS, ROUND_BITS, (uint64_t)(int64_t)step->negative);
	espl_put_bits(word, low += ROUND_BITS, 16, mask);
	espl_put_bits(word, low += 16, ADDRESS_BITS, (uint64_t)dest);
	espl_put_bits(word, low += ADDRESS_BITS, 3, (uint64_t)step->even);
	espl_put_bits(word, low + 3, 1, step->even_half);
}

/* Where channel c of the result goes, for one phase of the computing space. */
static void destination(const coder *c, int channel, int phase_row, int phase_column,
                        uint32_t *mask, int *dest)
{
	*mask = c->out->kind != ESPL_PLACE_WIDE; /* no splits: nothing is written */
	*dest = c->out->base + channel * c->out->channel_stride;
	if (*mask)
		return;
	for (int s = 0; s < c->work->splits; s++) {
		const int word =
		        espl_work_plane(c->work, c->out, channel, phase_row, phase_column, s);

		if (word < 0)
			continue;
		*mask |= 1u << s;
		*dest = word * c->work->lanes;
	}
}

static uint64_t tap_word(const coder *c, const espl_reach *reach, int slot)
{
	const int rel = reach->row * c->in->pitch + reach->column;
	uint64_t word = 0;

	c->tables->most_reach = espl_greatest(c->tables->most_reach, rel < 0 ? -rel : rel);

	espl_put_bits(&word, 0, SLOT_BITS, (uint64_t)slot);
	espl_put_bits(&word, SLOT_BITS, REL_BITS, (uint64_t)(int64_t)rel);
	espl_put_bits(&word, SLOT_BITS + REL_BITS, 3, (uint64_t)reach->left);
	espl_put_bits(&word, SLOT_BITS + REL_BITS + 3, 3, (uint64_t)reach->right);
	espl_put_bits(&word, SLOT_BITS + REL_BITS + 6, 1, (uint64_t)reach->limit);
	return word;
}

static int intern_tap(coder *c, const espl_reach *reach, int slot)
{
	const uint64_t word = tap_word(c, reach, slot);

	return espl_table_intern(c->work->arena, &c->tables->tap, &word);
}

/* The tensor and channel that a channel of an alias stands for. */
static const espl_work_tensor *resolve(const espl_work *work, const espl_work_tensor *tensor,
                                       int *channel)
{
	while (tensor->alias >= 0) {
		*channel += tensor->alias_channel;
		tensor = &work->tensors[tensor->alias];
	}
	return tensor;
}

/* -- convolution: all splits together make one output channel ------------------------------------
 */

/* split_of: the first of the splits that hold the tap's plane. */
static void conv_group(coder *c, stream *streams, const int *split_of, int copies, int o)
{
	const espl_layer *l = &c->layer->layer;
	const int channels = c->in->tensor.channels;

	for (int i = 0; i < channels; i++)
		for (int k = 0; k < c->taps; k++) {
			const int weight = l->weights[((int64_t)o * c->taps + k) * channels + i];
			int split = split_of[i * c->taps + k];

			if (!weight || c->tap[i * c->taps + k] < 0)
				continue;
			for (int s = split + 1; s < split_of[i * c->taps + k] + copies; s++)
				if (streams[s].count < streams[split].count)
					split = s;
			push(c, &streams[split], weight, c->tap[i * c->taps + k]);
		}
}

/* What taps that never meet the image add to the sum: their weights times the padding. */
static int64_t outside(const coder *c, int o)
{
	const espl_layer *l = &c->layer->layer;
	const int channels = c->in->tensor.channels;
	int64_t sum = 0;

	for (int k = 0; k < c->taps; k++) {
		if (c->tap[k] >= 0) /* a kernel position is reached in all channels or in none */
			continue;
		if (l->kind == ESPL_LAYER_CONV)
			for (int i = 0; i < channels; i++)
				sum += l->weights[((int64_t)o * c->taps + k) * channels + i];
		else if (l->weights)
			sum += l->weights[(int64_t)o * c->taps + k];
	}
	return sum * l->pad;
}

static void put_conv_record(coder *c, int o, int phase_row, int phase_column)
{
	espl_step step = c->layer->layer.steps[o];
	uint32_t mask;
	int dest;

	step.bias += (int32_t)outside(c, o);
	destination(c, o, phase_row, phase_column, &mask, &dest);
	put_record(c, &step, mask, dest);
}

/* -- plain convolution: every tap of every channel, in one order for all splits -------------------
 */

/* The channel of the input that lies at `local` of a split, -1 where there is none. */
static void list_locals(const coder *c, const espl_work_tensor *root, int origin, int *channel_of)
{
	memset(channel_of, -1, (size_t)(root->locals * c->work->splits) * sizeof(*channel_of));
	for (int i = 0; i < c->in->tensor.channels; i++)
		channel_of[root->local[origin + i] * c->work->splits + root->split[origin + i]] = i;
}

/* Whether the layer may be plain, and then whether it costs few cycles and saves words. */
static bool choose_plain(coder *c)
{
	const espl_layer *l = &c->layer->layer;
	const int splits = c->work->splits, outputs = c->out->tensor.channels;
	int origin = 0, reached = 0;
	const espl_work_tensor *root = resolve(c->work, c->in, &origin);
	int64_t plain, sparse = 0; /* cycles of a block; sparse: words of the memory as well */

	if (l->kind != ESPL_LAYER_CONV || c->in->shared || root->copies > 1 ||
	    c->layer->phase_rows * c->layer->phase_columns > 1)
		return false;
	for (int k = 0; k < c->taps; k++) {
		espl_reach reach;

		reached += espl_reach_of(c->work, c->layer, 0, 0, k / l->kernel_columns,
		                         k % l->kernel_columns, &reach);
	}
	for (int o = 0; o < outputs; o++) {
		int count[ESPL_MAX_SPLITS] = {0}, most = 1;

		for (int k = 0; k < c->taps; k++)
			for (int i = 0; i < c->in->tensor.channels; i++)
				count[root->split[origin + i]] +=
				        l->weights[((int64_t)o * c->taps + k) *
				                           c->in->tensor.channels +
				                   i] != 0;
		for (int s = 0; s < splits; s++)
			most = espl_greatest(most, count[s]);
		sparse += most;
	}
	plain = (int64_t)root->locals * reached;
	return plain > 1 && plain < 1 << CYCLE_BITS && (plain + 1) / 2 * outputs < sparse &&
	       (plain * outputs - sparse) * 1024 <= sparse * c->work->most_filling;
}

/* The index of the first of `count` taps that stand together in the table. */
static int place_taps(coder *c, const uint64_t *words, int count)
{
	espl_table *to = &c->tables->tap;
	const size_t bytes = (size_t)count * sizeof(*words);
	int first;

	for (int i = 0; i + count <= to->count; i++)
		if (!memcmp(to->words + i, words, bytes))
			return i;
	first = espl_table_append(c->work->arena, to, count);
	memcpy(to->words + first, words, bytes);
	return first;
}

static void plain_layer(coder *c, stream *streams)
{
	const espl_layer *l = &c->layer->layer;
	const int splits = c->work->splits, channels = c->in->tensor.channels;
	int origin = 0, count = 0;
	const espl_work_tensor *root = resolve(c->work, c->in, &origin);
	int *channel_of = ESPL_ARRAY(c->work->arena, int, root->locals *splits);
	uint64_t *words = ESPL_ARRAY(c->work->arena, uint64_t, root->locals * c->taps);
	espl_reach *reaches = ESPL_ARRAY(c->work->arena, espl_reach, c->taps);

	list_locals(c, root, origin, channel_of);
	for (int k = 0; k < c->taps; k++)
		c->tap[k] = espl_reach_of(c->work, c->layer, 0, 0, k / l->kernel_columns,
		                          k % l->kernel_columns, &reaches[k])
		                    ? 0
		                    : -1;
	for (int local = 0; local < root->locals; local++)
		for (int k = 0; k < c->taps; k++)
			if (c->tap[k] >= 0)
				words[count++] =
				        tap_word(c, &reaches[k],
				                 (local * root->phase_rows * root->phase_columns +
				                  reaches[k].phase_row * root->phase_columns +
				                  reaches[k].phase_column) *
				                         root->plane_words);
	c->tap_base = place_taps(c, words, count);
	for (int n = 0; n < c->out->tensor.channels; n++) {
		const int o = c->layer->order ? c->layer->order[n] : n;

		for (int local = 0; local < root->locals; local++)
			for (int k = 0; k < c->taps; k++)
				for (int s = 0; s < splits && c->tap[k] >= 0; s++) {
					const int i = channel_of[local * splits + s];

					push(c, &streams[s],
					     i < 0 ? 0
					           : l->weights[((int64_t)o * c->taps + k) *
					                                channels +
					                        i],
					     0);
				}
		put_group(c, streams, 1, root->base);
		put_conv_record(c, o, 0, 0);
	}
}

/* -- convolution with taps ------------------------------------------------------------------------
 */

static void conv_phase(coder *c, stream *streams, int phase_row, int phase_column)
{
	const espl_layer *l = &c->layer->layer;
	const int channels = c->in->tensor.channels;
	int *split_of = ESPL_ARRAY(c->work->arena, int, channels * c->taps);
	int origin = 0;
	const espl_work_tensor *root = resolve(c->work, c->in, &origin);

	if (c->in->shared)
		espl_share_taps(c->work, c->layer, phase_row, phase_column, split_of);
	for (int i = 0; i < channels; i++)
		for (int k = 0; k < c->taps; k++) {
			espl_reach reach;
			int word = -1;

			c->tap[i * c->taps + k] = -1;
			if (!espl_reach_of(c->work, c->layer, phase_row, phase_column,
			                   k / l->kernel_columns, k % l->kernel_columns, &reach))
				continue;
			for (int s = 0; s < c->work->splits && word < 0; s++) {
				if (c->in->shared && s != split_of[i * c->taps + k])
					continue;
				word = espl_work_plane(c->work, c->in, i, reach.phase_row,
				                       reach.phase_column, s);
				split_of[i * c->taps + k] = s;
			}
			c->tap[i * c->taps + k] = intern_tap(c, &reach, word - root->base);
		}
	for (int i = 0; i < c->out->tensor.channels; i++) {
		const int o = c->layer->order ? c->layer->order[i] : i;

		conv_group(c, streams, split_of, c->in->shared ? 1 : root->copies, o);
		put_group(c, streams, 1, root->base);
		put_conv_record(c, o, phase_row, phase_column);
	}
}

/* -- a channel a split: depthwise, pools, sums of two, tables ------------------------------------
 */

static void split_stream(coder *c, stream *to, int o, int source, int second_tap)
{
	const espl_layer *l = &c->layer->layer;
	int last = -1;

	(void)source;
	if (l->kind == ESPL_LAYER_ADD) {
		/* both bytes in one sum: a + 256 b */
		push(c, to, 1, c->tap[0]);
		push(c, to, 127, second_tap);
		push(c, to, 127, second_tap);
		push(c, to, 2, second_tap);
		return;
	}
	for (int k = 0; k < c->taps; k++) {
		const int weight = l->kind == ESPL_LAYER_DEPTHWISE
		                           ? l->weights[(int64_t)o * c->taps + k]
		                   : l->kind == ESPL_LAYER_MAX ? 0
		                                               : 1;

		if (c->tap[k] < 0 || (!weight && l->kind != ESPL_LAYER_MAX))
			continue;
		push(c, to, weight, c->tap[k]);
		last = to->count - 1;
	}
	if (l->kind == ESPL_LAYER_MAX && last >= 0)
		to->entries[last] |= 1; /* the greatest so far, times one, in the end */
}

static void split_taps(coder *c, int phase_row, int phase_column)
{
	const espl_layer *l = &c->layer->layer;
	const int phases = c->in->phase_columns;

	for (int k = 0; k < c->taps; k++) {
		espl_reach reach;

		c->tap[k] = -1;
		if (l->kind == ESPL_LAYER_ADD)
			continue;
		if (espl_reach_of(c->work, c->layer, phase_row, phase_column, k / l->kernel_columns,
		                  k % l->kernel_columns, &reach))
			c->tap[k] = intern_tap(c, &reach,
			                       (reach.phase_row * phases + reach.phase_column) *
			                               c->in->plane_words);
	}
}

/* ADD: absolute taps on both operands of an output channel. */
static int add_taps(coder *c, int o, int split, int phase_row, int phase_column)
{
	const espl_work_tensor *b = &c->work->tensors[c->layer->layer.inputs[1]];
	espl_reach reach;

	espl_reach_of(c->work, c->layer, phase_row, phase_column, 0, 0, &reach);
	c->tap[0] = intern_tap(
	        c, &reach,
	        espl_work_plane(c->work, c->in, o, reach.phase_row, reach.phase_column, split));
	return intern_tap(
	        c, &reach,
	        espl_work_plane(c->work, b, o, reach.phase_row, reach.phase_column, split));
}

/* The records of an output channel, -1 for none: one, two for an ADD, or as many as kinds of
 * positions ask for. */
static void channel_records(coder *c, int o, int phase_row, int phase_column)
{
	const espl_layer *l = &c->layer->layer;
	const espl_kinds *kinds = &c->layer->kinds;
	const int phases = c->layer->phase_rows * c->layer->phase_columns;
	const int phase = phase_row * c->layer->phase_columns + phase_column;
	const int count = kinds->kinds > 1 ? kinds->record_count : 1;
	espl_step step = {0};
	uint32_t mask = 0;
	int dest = 0;

	if (o >= 0)
		destination(c, o, phase_row, phase_column, &mask, &dest);
	for (int r = 0; r < count; r++) {
		const int class_of =
		        kinds->kinds > 1 ? kinds->class_of[kinds->records[r] * phases + phase] : 0;

		if (o >= 0) {
			step = l->steps[o * l->step_classes + class_of];
			step.bias += (int32_t)outside(c, o);
		}
		put_record(c, &step, mask, dest);
	}
	if (l->kind == ESPL_LAYER_ADD) {
		step.bias = l->bias_b;
		step.multiplier = l->multiplier_b;
		put_record(c, &step, mask, dest);
	}
}

/* The split that computes a channel of the input in a group that has `outputs` so far, -1 for none:
 * the channel's own, or of an ADD whose channels have copies any that holds it. */
static int free_split(const coder *c, const espl_work_tensor *of, int channel, const int *outputs)
{
	const int own = of->split[channel];
	const int first = own / of->copies * of->copies;

	if (c->layer->layer.kind != ESPL_LAYER_ADD)
		return outputs[own] < 0 ? own : -1;
	for (int s = first; s < first + of->copies; s++)
		if (outputs[s] < 0)
			return s;
	return -1;
}

static void split_phase(coder *c, stream *streams, int phase_row, int phase_column)
{
	const espl_work *work = c->work;
	const espl_layer *l = &c->layer->layer;
	const int count = c->out->tensor.channels;
	const int phases = c->in->phase_rows * c->in->phase_columns;
	bool *done = ESPL_ARRAY(work->arena, bool, count);
	int origin = 0;
	const espl_work_tensor *root = resolve(work, c->in, &origin);
	const bool mixed =
	        l->kind == ESPL_LAYER_ADD && root->copies > 1; /* its taps are absolute */

	split_taps(c, phase_row, phase_column);
	for (int local = 0; local < (mixed ? 1 : root->locals); local++)
		for (bool more = true; more;) {
			int outputs[ESPL_MAX_SPLITS], loops = 0;

			memset(outputs, -1, sizeof(outputs));
			for (int o = 0; o < count; o++) {
				int channel = l->source ? l->source[o] : o;
				const int source = channel;
				const espl_work_tensor *of = resolve(work, c->in, &channel);
				const int s = free_split(c, of, channel, outputs);
				int second = -1;

				if (done[o] || s < 0 || (!mixed && of->local[channel] != local))
					continue;
				done[o] = true;
				outputs[s] = o;
				loops = espl_greatest(loops, s + 1);
				if (l->kind == ESPL_LAYER_ADD)
					second = add_taps(c, o, s, phase_row, phase_column);
				split_stream(c, &streams[s], o, source, second);
			}
			more = loops > 0;
			if (!more)
				break;
			put_group(c, streams, loops,
			          l->kind == ESPL_LAYER_ADD
			                  ? 0
			                  : root->base + local * phases * c->in->plane_words);
			for (int s = 0; s < loops; s++)
				channel_records(c, outputs[s], phase_row, phase_column);
		}
}

/* -- dense: wide weights, narrow activations
 * -------------------------------------------------------- */

static void dense_weights(coder *c, int elements, int cycles)
{
	const espl_layer *l = &c->layer->layer;
	const espl_lowered_tensor *in = &c->in->tensor;
	const int inputs = in->rows * in->columns * in->channels;
	const int blocks = c->layer->blocks, lanes = c->work->lanes, splits = c->work->splits;
	int *of = ESPL_ARRAY(c->work->arena, int, elements);
	espl_tables *t = c->tables;
	const int words = blocks * cycles;

	memset(of, -1, (size_t)elements * sizeof(*of));
	for (int y = 0; y < in->rows; y++)
		for (int x = 0; x < in->columns; x++)
			for (int i = 0; i < in->channels; i++)
				of[i * c->in->channel_stride +
				   (y * c->in->pitch + x) * c->in->position_stride] =
				        (y * in->columns + x) * in->channels + i;
	if (t->dense_words + words > t->dense_capacity) {
		const int capacity = 2 * (t->dense_words + words);

		for (int s = 0; s < splits; s++) {
			int8_t *grown = ESPL_ARRAY(c->work->arena, int8_t,
			                           (size_t)capacity * (size_t)lanes);

			if (t->dense_words)
				memcpy(grown, t->dense[s], (size_t)t->dense_words * (size_t)lanes);
			t->dense[s] = grown;
		}
		t->dense_capacity = capacity;
	}
	for (int o = 0; o < c->out->tensor.channels; o++)
		for (int e = 0; e < elements; e++) {
			const int word = t->dense_words + o / lanes * cycles + e / splits;

			if (of[e] < 0)
				continue;
			t->dense[e % splits][(size_t)word * (size_t)lanes + (size_t)(o % lanes)] =
			        l->weights[(int64_t)o * inputs + of[e]];
			c->issued += l->weights[(int64_t)o * inputs + of[e]] != 0;
		}
	t->dense_words += words;
}

/* Param, bias: {four biases of 24, 1} */
static void put_biases(coder *c, int first)
{
	espl_table *to = &c->tables->param;
	const int index = espl_table_append(c->work->arena, to, 1);
	uint64_t *word = to->words + (size_t)index * (size_t)to->width_beats;

	espl_put_bits(word, 0, 1, 1);
	for (int i = 0; i < 4; i++)
		if (first + i < c->out->tensor.channels)
			espl_put_bits(word, 1 + 24 * i, 24,
			              (uint64_t)(int64_t)c->layer->layer.steps[first + i].bias);
}

static void dense_records(coder *c)
{
	const espl_layer *l = &c->layer->layer;
	const int lanes = c->work->lanes;

	for (int b = 0; b < c->layer->blocks; b++) {
		if (espl_shares_step(c->work, c->layer)) {
			put_record(c, &l->steps[0], 1, c->out->base + b * lanes);
			for (int q = 0; q < lanes / 4; q++)
				put_biases(c, b * lanes + 4 * q);
			continue;
		}
		for (int i = 0; i < lanes; i++) {
			const int o = b * lanes + i;
			espl_step step = {0};
			uint32_t mask = 0;
			int dest = 0;

			if (o < c->out->tensor.channels) {
				step = l->steps[o];
				destination(c, o, 0, 0, &mask, &dest);
			}
			put_record(c, &step, mask, dest);
		}
	}
}

static void dense_layer(coder *c)
{
	const espl_lowered_tensor *in = &c->in->tensor;
	const int elements =
	        (in->channels - 1) * c->in->channel_stride +
	        ((in->rows - 1) * c->in->pitch + in->columns - 1) * c->in->position_stride + 1;
	const int cycles = espl_ceil_div(elements, c->work->splits);
	int index;

	c->cycles = ESPL_ARRAY(c->work->arena, int, 1);
	c->loops = ESPL_ARRAY(c->work->arena, int, 1);
	c->cycles[0] = cycles;
	c->loops[0] = 1;
	c->group_count = 1;
	c->tables->most_cycles = espl_greatest(c->tables->most_cycles, cycles);
	c->narrow_base = c->in->base / c->work->splits;
	index = espl_table_append(c->work->arena, &c->tables->group, 1);
	espl_put_bits(&c->tables->group.words[index], 0, CYCLE_BITS, (uint64_t)cycles);
	espl_put_bits(&c->tables->group.words[index], CYCLE_BITS, 5, 1);
	espl_put_bits(&c->tables->group.words[index], CYCLE_BITS + 5, ADDRESS_BITS,
	              (uint64_t)(c->work->activation_words + c->tables->dense_words));
	dense_weights(c, elements, cycles);
	dense_records(c);
}

/* -- the layer's descriptor
 * ------------------------------------------------------------------------- */

static int destination_kind(const coder *c)
{
	const espl_lowered_tensor *out = &c->out->tensor;

	switch (c->out->kind) {
	case ESPL_PLACE_OUTPUT:
		return 3;
	case ESPL_PLACE_VECTOR:
		if (c->layer->kinds.kinds > 1)
			return 1;
		return out->rows * out->columns > 1 || espl_shares_step(c->work, c->layer) ? 2 : 1;
	default:
		return 0;
	}
}

static int intern_table(coder *c)
{
	const int index = c->tables->table_count++;
	espl_table *to = &c->tables->lookup;
	const int first = espl_table_append(c->work->arena, to, 256);

	for (int i = 0; i < 256; i++)
		to->words[first + i] = (uint64_t)(c->layer->layer.table[i] + 128);
	return index;
}

static void put_descriptor(coder *c, const espl_blocks *blocks, bool release, bool last)
{
	const espl_layer *l = &c->layer->layer;
	const bool dense = l->kind == ESPL_LAYER_DENSE;
	const int mode = dense                        ? MODE_DENSE
	                 : l->kind == ESPL_LAYER_CONV ? MODE_ALL
	                                              : MODE_PER_SPLIT;
	const int in_rows = dense ? 0 : espl_phase_count(c->in->tensor.rows, 0, c->in->phase_rows);
	const int loop = l->kind == ESPL_LAYER_ADD ? 2 : 1; /* records that a loop ends with */
	const int step = !dense ? loop + espl_greatest(c->layer->kinds.record_count - 1, 0)
	                 : espl_shares_step(c->work, c->layer) ? 1 + c->work->lanes / 4
	                                                       : c->work->lanes;
	const int first = espl_table_append(c->work->arena, &c->tables->program, 4);
	uint64_t *word = &c->tables->program.words[first];

	espl_put_bits(word, 0, 8, (uint64_t)(l->high + 128));
	espl_put_bits(word, 8, 8, (uint64_t)(l->low + 128));
	espl_put_bits(word, 16, 8, (uint64_t)(l->zero_point + 128));
	espl_put_bits(word, 24, 8, dense ? 0 : (uint64_t)l->pad);
	espl_put_bits(word, 32, 2, dense ? 0 : (uint64_t)loop);
	if (l->table) {
		espl_put_bits(word, 34, 4, (uint64_t)intern_table(c));
		espl_put_bits(word, 38, 1, 1);
	}
	espl_put_bits(word, 39, 2, (uint64_t)destination_kind(c));
	espl_put_bits(word, 41, 1, last);
	espl_put_bits(word, 42, 1, release);
	espl_put_bits(word, 43, 1, l->kind == ESPL_LAYER_ADD);
	espl_put_bits(word, 44, 1, l->kind == ESPL_LAYER_MAX);
	espl_put_bits(word, 45, 2, (uint64_t)mode);
	espl_put_bits(word, 47, 1, c->layer->plain);
	word = &c->tables->program.words[first + 1];
	espl_put_bits(word, 0, 16, (uint64_t)c->group_base);
	espl_put_bits(word, 16, 16, (uint64_t)c->group_count);
	espl_put_bits(word, 32, 16, (uint64_t)blocks->base);
	espl_put_bits(word, 48, 16, (uint64_t)c->layer->blocks);
	word = &c->tables->program.words[first + 2];
	espl_put_bits(word, 0, 16, (uint64_t)c->tap_base);
	espl_put_bits(word, 16, 16, (uint64_t)c->param_base);
	espl_put_bits(word, 32, 16, (uint64_t)blocks->period);
	espl_put_bits(word, 48, 16, (uint64_t)blocks->advance);
	word = &c->tables->program.words[first + 3];
	espl_put_bits(word, 0, 20, (uint64_t)((int64_t)in_rows * c->in->pitch));
	espl_put_bits(word, 20, 20, (uint64_t)((int64_t)(in_rows - 1) * c->in->pitch));
	espl_put_bits(word, 40, 17, (uint64_t)c->narrow_base);
	espl_put_bits(word, 57, 7, (uint64_t)step);
}

static void code_layer(coder *c, bool release, bool last)
{
	const espl_layer *l = &c->layer->layer;
	stream *streams = ESPL_ARRAY(c->work->arena, stream, c->work->splits);
	espl_blocks blocks;

	c->group_base = c->tables->group.count;
	c->param_base = c->tables->param.count;
	c->narrow_base = c->tables->narrow_count;
	c->group_count = c->group_capacity = 0;
	c->issued = 0;
	c->tap_base = 0;
	c->taps = l->kernel_rows * l->kernel_columns;
	c->layer->kinds = espl_find_kinds(c->work, c->layer);
	c->tables->most_records =
	        espl_greatest(c->tables->most_records, c->layer->kinds.record_count);
	if (l->kind == ESPL_LAYER_DENSE) {
		dense_layer(c);
	} else {
		c->tap = ESPL_ARRAY(c->work->arena, int, c->taps * c->in->tensor.channels);
		c->layer->plain = choose_plain(c);
		c->tables->plain_used |= c->layer->plain;
		for (int r = 0; r < c->layer->phase_rows; r++)
			for (int p = 0; p < c->layer->phase_columns; p++) {
				if (r >= c->out->tensor.rows || p >= c->out->tensor.columns)
					continue;
				if (c->layer->plain)
					plain_layer(c, streams);
				else if (l->kind == ESPL_LAYER_CONV)
					conv_phase(c, streams, r, p);
				else
					split_phase(c, streams, r, p);
			}
	}
	blocks = espl_write_blocks(c->work, c->tables, c->layer);
	put_descriptor(c, &blocks, release, last);
	c->tables->most_blocks = espl_greatest(c->tables->most_blocks, c->layer->blocks);
	c->layer->cycles = espl_count_cycles(c->work, c->cycles, c->loops, c->group_count,
	                                     blocks.entries, blocks.period, c->layer->blocks);
	if (last && l->kind == ESPL_LAYER_DENSE && c->out->kind == ESPL_PLACE_OUTPUT)
		c->work->plan->output_delay =
		        espl_output_delay(c->work, c->layer, c->cycles[0], blocks.entries);
}

static void start_narrow(espl_work *work, espl_tables *tables)
{
	tables->narrow_capacity = tables->narrow_count + 1024;
	for (int s = 0; s < work->splits; s++)
		tables->narrow[s] = ESPL_ARRAY(work->arena, uint32_t, tables->narrow_capacity);
}

/* -- images and parameters
 * -------------------------------------------------------------------------- */

static void put_image(espl_work *work, int memory, uint32_t splits, int address,
                      const espl_table *table)
{
	espl_plan *plan = work->plan;
	int done = 0;

	while (done < table->count) {
		const int count = table->count - done < 65535 ? table->count - done : 65535;

		if (plan->image_count == work->image_capacity) {
			espl_image *grown;

			work->image_capacity = 2 * work->image_capacity + 32;
			grown = ESPL_ARRAY(work->arena, espl_image, work->image_capacity);
			if (plan->image_count)
				memcpy(grown, plan->images,
				       (size_t)plan->image_count * sizeof(*grown));
			plan->images = grown;
		}
		plan->images[plan->image_count++] = (espl_image){
		        .memory = memory,
		        .splits = splits,
		        .address = address + done,
		        .count = count,
		        .beats = table->width_beats,
		        .words = table->words + (size_t)done * (size_t)table->width_beats,
		};
		done += count;
	}
}

static void put_images(espl_work *work, const espl_tables *t)
{
	for (int s = 0; s < work->splits; s++) {
		espl_table narrow = {.width_beats = 1},
		           dense = {.width_beats = espl_ceil_div(work->lanes, 8)};
		const int streams = t->narrow_count - work->vector_slots;

		espl_table_append(work->arena, &narrow, streams);
		for (int i = 0; i < streams; i++)
			narrow.words[i] = t->narrow[s][work->vector_slots + i];
		put_image(work, 1, 1u << s, work->vector_slots, &narrow);
		espl_table_append(work->arena, &dense, t->dense_words);
		for (int i = 0; i < t->dense_words * work->lanes; i++)
			espl_put_bits(dense.words +
			                      (size_t)(i / work->lanes) * (size_t)dense.width_beats,
			              i % work->lanes * 8, 8, (uint8_t)t->dense[s][i]);
		put_image(work, 0, 1u << s, work->activation_words, &dense);
	}
	put_image(work, 3, 0, 0, &t->tap);
	put_image(work, 4, 0, 0, &t->param);
	put_image(work, 5, 0, 0, &t->group);
	put_image(work, 6, 0, 0, &t->block);
	put_image(work, 7, 0, 0, &t->entry);
	put_image(work, 8, 0, 0, &t->pattern);
	put_image(work, 9, 0, 0, &t->program);
	if (t->lookup.count)
		put_image(work, 10, 0, 0, &t->lookup);
}

int espl_usual_words(const espl_work *work)
{
	return espl_greatest(1024, (1 << 19) / (work->lanes * work->splits));
}

static espl_status too_deep(const char *what, int need, int most, espl_error *err)
{
	if (need <= most)
		return ESPL_OK;
	return espl_fail(err, ESPL_BUDGET, "the program needs %d %s, the engine can address %d",
	                 need, what, most);
}

/* What the program takes of each memory, in the words of a message. */
typedef struct {
	const char *what;
	int need, most; /* most: what addresses can reach */
	size_t depth;   /* of the engine's parameter */
	int least, usual;
} demand;

static bool has_max_pool(const espl_work *work)
{
	for (int l = 0; l < work->layer_count; l++)
		if (work->layers[l].layer.kind == ESPL_LAYER_MAX)
			return true;
	return false;
}

/* Depths made for the program, as powers of two. Where memory is limited the engine has nothing
 * that the network does not need; else it is one that others can share. */
static espl_status choose_engine(espl_work *work, const espl_tables *t, espl_error *err)
{
	const espl_engine *given = work->envelope.engine;
	espl_engine *e = &work->plan->engine;
	const bool limited = work->envelope.memory_bytes > 0;
	const int wide = work->activation_words + t->dense_words;
#define DEPTH(name) offsetof(espl_engine, name)
	const demand demands[] = {
	        {"words of wide memory", wide, 1 << 17, DEPTH(WideDepth), 64,
	         espl_usual_words(work)},
	        {"words of narrow memory", t->narrow_count, 1 << 17, DEPTH(NarrowDepth), 64,
	         espl_greatest(2048, (1 << 17) / work->splits)},
	        {"taps", t->tap.count, 4096, DEPTH(TapDepth), t->plain_used ? 256 : 64, 4096},
	        {"parameter records", t->param.count, 65536, DEPTH(ParamDepth), 64, 4096},
	        {"groups", t->group.count, 65536, DEPTH(GroupDepth), 64, 4096},
	        {"block descriptors", t->block.count, 65536, DEPTH(BlockDepth), 64, 1024},
	        {"entries of drain lists", t->entry.count, 4096, DEPTH(EntryDepth), 64, 4096},
	        {"patterns", t->pattern.count, 64, DEPTH(PatternDepth), 64, 64},
	        {"layers", t->program.count / 4, 65536, DEPTH(LayerDepth), 16, 64},
	        {"words of output", espl_ceil_div(work->output_bytes, work->lanes), 1 << 16,
	         DEPTH(OutputDepth), 256, 256},
	        {"lookup tables", t->table_count, 16, DEPTH(Tables), t->table_count ? 1 : 0, 1},
	};
#undef DEPTH

	ESPL_TRY(too_deep("bytes between an output and a tap of it", t->most_reach, 4095, err));
	ESPL_TRY(too_deep("blocks of one layer", t->most_blocks, 65535, err));
	ESPL_TRY(too_deep("bytes of results", work->output_bytes, 1 << 17, err));
	ESPL_TRY(too_deep("entries of one block", t->most_entries, 127, err));
	ESPL_TRY(too_deep("records of one channel", t->most_records, 127, err));
	ESPL_TRY(too_deep("cycles for a group", t->most_cycles, (1 << CYCLE_BITS) - 1, err));
	if (given)
		*e = *given;
	else
		*e = (espl_engine){
		        .Lanes = work->lanes,
		        .Splits = work->splits,
		        .Requantizers = work->requantizers,
		        .PadMax = work->pad_max,
		        .MaxPool = !limited || has_max_pool(work),
		};
	for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++) {
		const demand *d = &demands[i];
		int *depth = (int *)((char *)e + d->depth);
		int room;

		ESPL_TRY(too_deep(d->what, d->need, d->most, err));
		if (!given) {
			*depth = limited ? d->least : d->usual;
			while (*depth < d->need)
				*depth *= 2;
			continue;
		}
		room = *depth + (i ? 0 : e->WideExtra);
		if (d->need > room)
			return espl_fail(err, ESPL_BUDGET,
			                 "the network needs %d %s, the engine has %d", d->need,
			                 d->what, room);
	}
	if (work->activation_words > e->WideDepth)
		return espl_fail(err, ESPL_BUDGET,
		                 "activations take %d words of wide memory, the engine has %d",
		                 work->activation_words, e->WideDepth);
	if (given && t->plain_used && e->TapDepth <= 128)
		return espl_fail(err, ESPL_BUDGET,
		                 "weights in pairs need an engine of more than 128 taps, it has %d",
		                 e->TapDepth);
	return ESPL_OK;
}

espl_status espl_write_program(espl_work *work, espl_error *err)
{
	const int block_bits = 19 + 2 * work->pad_max * work->lanes;
	int select = 1;
	espl_tables tables = {
	        .tap = {.width_beats = 1},
	        .param = {.width_beats = 3},
	        .group = {.width_beats = 1},
	        .block = {.width_beats = espl_ceil_div(block_bits, 64)},
	        .entry = {.width_beats = 1},
	        .program = {.width_beats = 1},
	        .lookup = {.width_beats = 1},
	};
	coder c = {.work = work, .tables = &tables};
	int last_input = -1, last = -1;

	while (1 << select < work->requantizers)
		select++;
	tables.pattern.width_beats = espl_ceil_div(work->requantizers * (select + 1), 64);
	if (block_bits > 256)
		return espl_fail(err, ESPL_BUDGET, "padding of %d columns by %d lanes is too much",
		                 work->pad_max, work->lanes);
	tables.narrow_count = work->vector_slots;
	start_narrow(work, &tables);
	for (int l = 0; l < work->layer_count; l++) {
		if (work->layers[l].index < 0)
			continue;
		last = l;
		for (int i = 0; i < work->layers[l].layer.input_count; i++)
			if (work->tensors[work->layers[l].layer.inputs[i]].is_input)
				last_input = l;
	}
	for (int l = 0; l < work->layer_count; l++) {
		c.layer = &work->layers[l];
		if (c.layer->index < 0)
			continue;
		c.in = &work->tensors[c.layer->layer.inputs[0]];
		c.out = &work->tensors[c.layer->layer.output];
		code_layer(&c, l == last_input, l == last);
		work->plan->layers[c.layer->index].cycles = c.layer->cycles;
		work->plan->layers[c.layer->index].issued = c.issued;
	}
	ESPL_TRY(choose_engine(work, &tables, err));
	put_images(work, &tables);
	work->plan->output_beats = work->output_bytes / 8;
	return ESPL_OK;
}
