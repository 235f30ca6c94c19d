/* Channels to splits, so that their non-zero weights balance.
 * SPDX-License-Identifier: Apache-2.0
 *
 * An output channel of a convolution costs the most that one split has to do
 * for it. Channels are dealt by falling number of non-zeros, each to the least
 * loaded split that has room, then pairs are exchanged while that saves cycles.
 * Pruning that balances (compress/pattern.c) counts on channel c in split c mod
 * splits: that is taken where it costs less. The operands of an ADD must agree, channel by channel:
 * such channels move together, as one card.
 */
#include "base/union_find.h"
#include "schedule/work.h"

#include <stdlib.h>
#include <string.h>

/* A set of (tensor, channel) that must lie in one split. */
typedef struct {
	int weight; /* non-zeros over all readers */
	int order;  /* of first appearance: the last word in sorting */
	int split;
	int member_count;
	int *members; /* pairs tensor, channel */
} card;

/* A convolution that reads dealt tensors. */
typedef struct {
	const espl_layer *layer;
	int input, outputs, taps;
	int blocks, drain;
	uint16_t *nonzeros; /* [input channel][output channel] */
	int *load;          /* [output channel][split] */
} reader;

typedef struct {
	espl_work *work;
	int *first;  /* [tensor] of its channels in the arrays below */
	int *parent; /* union-find over (tensor, channel) */
	int *piece;  /* union-find over tensors */
} deal;

static bool dealt(const espl_work_tensor *tensor)
{
	return tensor->kind == ESPL_PLACE_WIDE && !tensor->shared;
}

static void tie(deal *d)
{
	espl_work *work = d->work;
	int count = 0;

	d->first = ESPL_ARRAY(work->arena, int, work->tensor_count);
	for (int t = 0; t < work->tensor_count; t++) {
		d->first[t] = count;
		count += work->tensors[t].tensor.channels;
	}
	d->parent = ESPL_ARRAY(work->arena, int, count);
	d->piece = ESPL_ARRAY(work->arena, int, work->tensor_count);
	for (int i = 0; i < count; i++)
		d->parent[i] = i;
	for (int t = 0; t < work->tensor_count; t++)
		d->piece[t] = t;
	for (int t = 0; t < work->tensor_count; t++) {
		const espl_work_tensor *tensor = &work->tensors[t];

		if (tensor->alias < 0)
			continue;
		espl_set_unite(d->piece, t, tensor->alias);
		for (int c = 0; c < tensor->tensor.channels; c++)
			espl_set_unite(d->parent, d->first[t] + c,
			               d->first[tensor->alias] + tensor->alias_channel + c);
	}
	for (int l = 0; l < work->layer_count; l++) {
		const espl_layer *layer = &work->layers[l].layer;

		if (layer->kind != ESPL_LAYER_ADD)
			continue;
		espl_set_unite(d->piece, layer->inputs[0], layer->inputs[1]);
		for (int c = 0; c < work->tensors[layer->inputs[0]].tensor.channels; c++)
			espl_set_unite(d->parent, d->first[layer->inputs[0]] + c,
			               d->first[layer->inputs[1]] + c);
	}
}

static reader read_weights(espl_work *work, const espl_work_layer *layer)
{
	const espl_layer *l = &layer->layer;
	const int channels = work->tensors[l->inputs[0]].tensor.channels;
	reader out = {.layer = l, .input = l->inputs[0]};

	out.outputs = work->tensors[l->output].tensor.channels;
	out.taps = l->kernel_rows * l->kernel_columns;
	out.blocks = layer->blocks;
	out.drain = work->lanes / work->requantizers;
	out.nonzeros = ESPL_ARRAY(work->arena, uint16_t, channels * out.outputs);
	out.load = ESPL_ARRAY(work->arena, int, out.outputs * work->splits);
	for (int o = 0; o < out.outputs; o++)
		for (int k = 0; k < out.taps; k++)
			for (int c = 0; c < channels; c++)
				if (l->weights[((int64_t)o * out.taps + k) * channels + c])
					out.nonzeros[c * out.outputs + o]++;
	return out;
}

static int by_weight(const void *a, const void *b)
{
	const card *x = a, *y = b;

	return x->weight != y->weight ? (x->weight < y->weight ? 1 : -1) : x->order - y->order;
}

/* Adds (sign 1) or removes (-1) a card's non-zeros from a split's loads. */
static void move_load(const card *c, reader *readers, int reader_count, int splits, int split,
                      int sign)
{
	for (int r = 0; r < reader_count; r++)
		for (int m = 0; m < c->member_count; m++) {
			const uint16_t *nonzeros;

			if (c->members[2 * m] != readers[r].input)
				continue;
			nonzeros = readers[r].nonzeros + c->members[2 * m + 1] * readers[r].outputs;
			for (int o = 0; o < readers[r].outputs; o++)
				readers[r].load[o * splits + split] += sign * nonzeros[o];
		}
}

static int64_t cost(const reader *readers, int reader_count, int splits)
{
	int64_t sum = 0;

	for (int r = 0; r < reader_count; r++) {
		int64_t cycles = 0;

		for (int o = 0; o < readers[r].outputs; o++) {
			int most = readers[r].drain;

			for (int s = 0; s < splits; s++)
				most = espl_greatest(most, readers[r].load[o * splits + s]);
			cycles += most;
		}
		sum += cycles * readers[r].blocks;
	}
	return sum;
}

static void exchange(card *cards, int card_count, reader *readers, int reader_count, int splits)
{
	int64_t best = cost(readers, reader_count, splits), work = 1;
	uint32_t random = 2463534242u;
	int tries;

	for (int r = 0; r < reader_count; r++)
		work += (int64_t)readers[r].outputs * (splits + 4);
	tries = (int)(24000000 / work);
	if (tries > 40000)
		tries = 40000;
	for (int t = 0; t < tries && card_count > 1 && reader_count; t++) {
		card *a, *b;
		int64_t now;
		int split;

		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		a = &cards[random % (uint32_t)card_count];
		b = &cards[(random >> 12) % (uint32_t)card_count];
		if (a->split == b->split || a->member_count != b->member_count)
			continue;
		move_load(a, readers, reader_count, splits, a->split, -1);
		move_load(b, readers, reader_count, splits, b->split, -1);
		move_load(a, readers, reader_count, splits, b->split, 1);
		move_load(b, readers, reader_count, splits, a->split, 1);
		now = cost(readers, reader_count, splits);
		split = a->split;
		a->split = b->split;
		b->split = split;
		if (now <= best) {
			best = now;
			continue;
		}
		move_load(a, readers, reader_count, splits, a->split, -1);
		move_load(b, readers, reader_count, splits, b->split, -1);
		move_load(a, readers, reader_count, splits, b->split, 1);
		move_load(b, readers, reader_count, splits, a->split, 1);
		b->split = a->split;
		a->split = split;
	}
}

/* The cards of a piece: sets of channels of its tensors, heaviest first. */
static card *make_cards(deal *d, int piece, const reader *readers, int reader_count, int *count)
{
	espl_work *work = d->work;
	int channels = 0, cards = 0;
	int *of_root;
	card *out;

	for (int t = 0; t < work->tensor_count; t++)
		if (espl_set_of(d->piece, t) == piece)
			channels += work->tensors[t].tensor.channels;
	out = ESPL_ARRAY(work->arena, card, channels);
	of_root = ESPL_ARRAY(work->arena, int,
	                     d->first[work->tensor_count - 1] +
	                             work->tensors[work->tensor_count - 1].tensor.channels);
	for (int t = 0; t < work->tensor_count; t++) {
		if (espl_set_of(d->piece, t) != piece)
			continue;
		for (int c = 0; c < work->tensors[t].tensor.channels; c++) {
			const int top = espl_set_of(d->parent, d->first[t] + c);
			card *to;

			if (!of_root[top]) {
				of_root[top] = ++cards;
				out[cards - 1].order = cards - 1;
				out[cards - 1].members =
				        ESPL_ARRAY(work->arena, int, 2 * work->tensor_count);
			}
			to = &out[of_root[top] - 1];
			to->members[2 * to->member_count] = t;
			to->members[2 * to->member_count + 1] = c;
			to->member_count++;
			for (int r = 0; r < reader_count; r++)
				if (readers[r].input == t)
					for (int o = 0; o < readers[r].outputs; o++)
						to->weight +=
						        readers[r].nonzeros[c * readers[r].outputs +
						                            o];
		}
	}
	qsort(out, (size_t)cards, sizeof(*out), by_weight);
	*count = cards;
	return out;
}

/* Room of a split: as many channels of each tensor as an even deal would give. */
static bool has_room(const espl_work *work, const card *c, int *const *used, int split)
{
	for (int m = 0; m < c->member_count; m++) {
		const int t = c->members[2 * m];

		if (work->tensors[t].alias < 0 &&
		    used[t][split] >= espl_ceil_div(work->tensors[t].tensor.channels, work->splits))
			return false;
	}
	return true;
}

static void hand_out(espl_work *work, card *cards, int card_count, reader *readers,
                     int reader_count, int **used)
{
	int64_t *sum = ESPL_ARRAY(work->arena, int64_t, work->splits);

	for (int i = 0; i < card_count; i++) {
		int best = -1;

		for (int pass = 0; pass < 2 && best < 0; pass++)
			for (int s = 0; s < work->splits; s++)
				if ((pass || has_room(work, &cards[i], used, s)) &&
				    (best < 0 || sum[s] < sum[best] ||
				     (sum[s] == sum[best] &&
				      used[cards[i].members[0]][s] <
				              used[cards[i].members[0]][best])))
					best = s;
		cards[i].split = best;
		sum[best] += cards[i].weight;
		for (int m = 0; m < cards[i].member_count; m++)
			used[cards[i].members[2 * m]][best]++;
		move_load(&cards[i], readers, reader_count, work->splits, best, 1);
	}
}

/* The split of a card's number: of its channel in a tensor that stands for itself. */
static int turn_of(const espl_work *work, const card *c)
{
	int m = 0;

	while (m + 1 < c->member_count && work->tensors[c->members[2 * m]].alias >= 0)
		m++;
	return c->members[2 * m + 1] % work->splits;
}

/* Deals all cards by turns, where that costs less than what was found. */
static void deal_by_turns(const espl_work *work, card *cards, int card_count, reader *readers,
                          int reader_count)
{
	const int splits = work->splits;
	const int64_t found = cost(readers, reader_count, splits);
	bool better;

	for (int i = 0; i < card_count; i++) {
		move_load(&cards[i], readers, reader_count, splits, cards[i].split, -1);
		move_load(&cards[i], readers, reader_count, splits, turn_of(work, &cards[i]), 1);
	}
	better = cost(readers, reader_count, splits) < found;
	for (int i = 0; i < card_count; i++) {
		const int turn = turn_of(work, &cards[i]);

		if (better) {
			cards[i].split = turn;
			continue;
		}
		move_load(&cards[i], readers, reader_count, splits, turn, -1);
		move_load(&cards[i], readers, reader_count, splits, cards[i].split, 1);
	}
}

/* Renames the splits so that those with most channels come first: a depthwise layer's last
 * group then takes no more drain than it must. */
static void rename_splits(espl_work *work, card *cards, int card_count)
{
	int count[ESPL_MAX_SPLITS] = {0}, order[ESPL_MAX_SPLITS], name[ESPL_MAX_SPLITS];

	for (int i = 0; i < card_count; i++)
		count[cards[i].split] += cards[i].member_count;
	for (int s = 0; s < work->splits; s++) {
		int at = s;

		while (at && count[order[at - 1]] < count[s]) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = s;
	}
	for (int s = 0; s < work->splits; s++)
		name[order[s]] = s;
	for (int i = 0; i < card_count; i++)
		cards[i].split = name[cards[i].split];
}

/* What the readers cost when each `copies` neighbouring splits share their channels: the taps of
 * an output channel are then dealt evenly among them. */
static int64_t cost_shared(const reader *readers, int reader_count, int splits, int copies)
{
	int64_t sum = 0;

	for (int r = 0; r < reader_count; r++) {
		int64_t cycles = 0;

		for (int o = 0; o < readers[r].outputs; o++) {
			int most = readers[r].drain;

			for (int g = 0; g < splits; g += copies) {
				int load = 0;

				for (int s = g; s < g + copies; s++)
					load += readers[r].load[o * splits + s];
				most = espl_greatest(most, espl_ceil_div(load, copies));
			}
			cycles += most;
		}
		sum += cycles * readers[r].blocks;
	}
	return sum;
}

/* What the piece's sums of two tensors take: a group is one channel of each split, of which copies
 * are drained as well. Each chunk of lanes takes two steps, in every phase of the result. */
static int64_t cost_of_sums(const deal *d, int piece, int copies)
{
	const espl_work *work = d->work;
	int64_t sum = 0;

	for (int l = 0; l < work->layer_count; l++) {
		const espl_work_layer *layer = &work->layers[l];
		const espl_work_tensor *out = &work->tensors[layer->layer.output];
		const int channels = out->tensor.channels;

		if (layer->layer.kind != ESPL_LAYER_ADD ||
		    espl_set_of(d->piece, layer->layer.inputs[0]) != piece)
			continue;
		sum += (int64_t)espl_ceil_div(channels * copies, work->splits) *
		       (channels < work->splits ? channels : work->splits) * layer->blocks * 2 *
		       (work->lanes / work->requantizers) * out->phase_columns;
	}
	return sum;
}

/* What readers and sums take with so many copies. */
static int64_t cost_with(const deal *d, int piece, const reader *readers, int reader_count,
                         int copies)
{
	return cost_shared(readers, reader_count, d->work->splits, copies) +
	       cost_of_sums(d, piece, copies);
}

/* Copies pay where zeros make splits uneven: the fewest within 2 % of the best. Channel-by-channel
 * readers need each channel in one split only; a CONCAT's members have no say. */
static int choose_copies(const deal *d, int piece, const reader *readers, int reader_count)
{
	const espl_work *work = d->work;
	int64_t best;
	int copies = 1;

	for (int l = 0; l < work->layer_count; l++) {
		const espl_layer *layer = &work->layers[l].layer;

		if (espl_set_of(d->piece, layer->inputs[0]) == piece &&
		    layer->kind != ESPL_LAYER_CONV && layer->kind != ESPL_LAYER_ADD)
			return 1;
	}
	best = cost_with(d, piece, readers, reader_count, 1);
	for (int c = 2; c <= work->most_copies; c *= 2) {
		const int64_t cost = cost_with(d, piece, readers, reader_count, c);

		best = cost < best ? cost : best;
	}
	while (cost_with(d, piece, readers, reader_count, copies) * 50 > best * 51)
		copies *= 2;
	return copies;
}

static void deal_piece(deal *d, int piece)
{
	espl_work *work = d->work;
	reader *readers = ESPL_ARRAY(work->arena, reader, work->layer_count);
	int **used = ESPL_ARRAY(work->arena, int *, work->tensor_count);
	int reader_count = 0, card_count, copies;
	card *cards;

	for (int t = 0; t < work->tensor_count; t++)
		used[t] = ESPL_ARRAY(work->arena, int, work->splits);
	for (int l = 0; l < work->layer_count; l++)
		if (work->layers[l].layer.kind == ESPL_LAYER_CONV &&
		    espl_set_of(d->piece, work->layers[l].layer.inputs[0]) == piece)
			readers[reader_count++] = read_weights(work, &work->layers[l]);
	cards = make_cards(d, piece, readers, reader_count, &card_count);
	hand_out(work, cards, card_count, readers, reader_count, used);
	exchange(cards, card_count, readers, reader_count, work->splits);
	deal_by_turns(work, cards, card_count, readers, reader_count);
	copies = choose_copies(d, piece, readers, reader_count);
	if (copies == 1)
		rename_splits(work, cards, card_count);
	for (int t = 0; t < work->tensor_count; t++)
		if (espl_set_of(d->piece, t) == piece)
			work->tensors[t].copies = copies;
	for (int i = 0; i < card_count; i++)
		for (int m = 0; m < cards[i].member_count; m++)
			work->tensors[cards[i].members[2 * m]].split[cards[i].members[2 * m + 1]] =
			        cards[i].split;
}

/* Gives each channel its place among those of its split. */
static void number_channels(espl_work *work)
{
	for (int t = 0; t < work->tensor_count; t++) {
		espl_work_tensor *tensor = &work->tensors[t];
		int count[ESPL_MAX_SPLITS] = {0};

		if (!dealt(tensor) || tensor->alias >= 0)
			continue;
		tensor->locals = 0;
		for (int c = 0; c < tensor->tensor.channels; c++) {
			int *next = &count[tensor->split[c] / tensor->copies];

			tensor->local[c] = (*next)++;
			tensor->locals = espl_greatest(tensor->locals, *next);
		}
		tensor->words = tensor->locals * tensor->phase_rows * tensor->phase_columns *
		                tensor->plane_words;
	}
}

/* An image of fewer channels than splits, read by kernels: its taps are dealt, and the planes go
 * where their taps are. */
bool espl_deals_taps(const espl_work *work, int t)
{
	bool any = false;

	if (!work->tensors[t].is_input || work->tensors[t].kind != ESPL_PLACE_WIDE ||
	    work->tensors[t].tensor.channels >= work->splits)
		return false;
	for (int l = 0; l < work->layer_count; l++)
		for (int i = 0; i < work->layers[l].layer.input_count; i++) {
			if (work->layers[l].layer.inputs[i] != t)
				continue;
			if (work->layers[l].layer.kind != ESPL_LAYER_CONV)
				return false;
			any = true;
		}
	return any;
}

espl_status espl_deal(espl_work *work, espl_error *err)
{
	deal d = {.work = work};

	(void)err;
	for (int t = 0; t < work->tensor_count; t++) {
		espl_work_tensor *tensor = &work->tensors[t];

		tensor->shared = espl_deals_taps(work, t);
		if (!work->splits_given)
			tensor->split = ESPL_ARRAY(work->arena, int, tensor->tensor.channels);
		tensor->local = ESPL_ARRAY(work->arena, int, tensor->tensor.channels);
	}
	tie(&d);
	for (int t = 0; t < work->tensor_count; t++)
		if (!work->splits_given && espl_set_of(d.piece, t) == t && dealt(&work->tensors[t]))
			deal_piece(&d, t);
	number_channels(work);
	return ESPL_OK;
}
