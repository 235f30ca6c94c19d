/* Parameters and how they move: SGD with Nesterov's momentum, Adam, the moving average.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/training.h"

#include <math.h>
#include <string.h>

static const double adam_second = 0.999, adam_least = 1e-8;

static void add_run(espl_parameters *p, espl_trained run)
{
	p->runs[p->run_count++] = run;
	p->count += run.count;
}

/* LSQ's scale of a step's gradient: `served` numbers share the step. */
static float step_scale(double served, int largest)
{
	return (float)(1 / sqrt(served * largest));
}

static void find_node(espl_graph *graph, const espl_graph_run *run, bool steps, int i,
                      espl_parameters *p)
{
	espl_node *node = &graph->nodes[i];
	const espl_gradients g = espl_graph_run_gradients(run, i);
	const int channels = espl_node_outputs(graph, node);
	const int64_t weights = espl_node_weights(graph, node);

	if (node->weights)
		add_run(p, (espl_trained){TRAINED_WEIGHTS, i, -1, node->weights, g.weights, weights,
		                          1});
	if (node->bias)
		add_run(p, (espl_trained){TRAINED_PLAIN, i, -1, node->bias, g.bias, channels, 1});
	if (node->gain)
		add_run(p, (espl_trained){TRAINED_PLAIN, i, -1, node->gain, g.gain, channels, 1});
	if (node->gain)
		add_run(p,
		        (espl_trained){TRAINED_PLAIN, i, -1, node->offset, g.offset, channels, 1});
	if (steps && node->weight_bits)
		add_run(p, (espl_trained){TRAINED_STEPS, i, -1, node->weight_steps, g.weight_steps,
		                          channels,
		                          step_scale((double)weights / channels,
		                                     (1 << (node->weight_bits - 1)) - 1)});
}

void espl_parameters_find(espl_graph *graph, const espl_graph_run *run,
                          const espl_train_options *options, espl_arena *arena, espl_parameters *p)
{
	const bool steps = options->step_rate > 0;

	*p = (espl_parameters){0};
	p->runs = ESPL_ARRAY(arena, espl_trained, 5 * graph->node_count + graph->value_count);
	for (int i = 0; i < graph->node_count; i++)
		find_node(graph, run, steps, i, p);
	for (int v = 0; steps && v < graph->value_count; v++) {
		espl_quantizer *q = &graph->values[v].quantizer;

		if (q->bits)
			add_run(p, (espl_trained){TRAINED_STEPS, -1, v, &q->step, NULL, 1,
			                          step_scale(espl_value_elements(&graph->values[v]),
			                                     q->high - q->low)});
	}
	p->first = ESPL_ARRAY(arena, float, p->count);
	if (options->optimizer == ESPL_OPTIMIZER_ADAM)
		p->second = ESPL_ARRAY(arena, float, p->count);
	if (options->average > 0) {
		p->average = ESPL_ARRAY(arena, float, p->count);
		espl_parameters_get(p, p->average);
	}
	p->best = ESPL_ARRAY(arena, float, p->count);
	p->norm_count = espl_norms_count(graph);
	p->best_norms = ESPL_ARRAY(arena, float, p->norm_count);
}

/* A step stays positive, and at most halves at a time. */
static float step_after(float before, float after)
{
	return after < before / 2 ? before / 2 : after;
}

static void move_sgd(const espl_trained *run, const float *gradients, float *speed, double rate,
                     double momentum, double decay)
{
	const float m = (float)momentum, r = (float)rate, d = (float)decay;

	for (int64_t i = 0; i < run->count; i++) {
		const float before = run->at[i];
		const float gradient = gradients[i] * run->scale + d * before;
		float after;

		if (run->kind == TRAINED_WEIGHTS && !(before < 0) && !(before > 0))
			continue; /* pruned */
		speed[i] = m * speed[i] + gradient;
		after = before - r * (gradient + m * speed[i]);
		run->at[i] = run->kind == TRAINED_STEPS ? step_after(before, after) : after;
	}
}

/* Steps move by their logarithm, so that the rate is relative whatever their size. */
static void move_adam(const espl_trained *run, const float *gradients, float *first, float *second,
                      double rate, double beta, double decay, int64_t step)
{
	const double first_part = 1 - pow(beta, (double)step + 1);
	const double second_part = 1 - pow(adam_second, (double)step + 1);

	for (int64_t i = 0; i < run->count; i++) {
		const float before = run->at[i];
		const double gradient = (double)gradients[i] * (double)run->scale;
		double change;

		if (run->kind == TRAINED_WEIGHTS && !(before < 0) && !(before > 0))
			continue;
		first[i] = (float)(beta * (double)first[i] + (1 - beta) * gradient);
		second[i] = (float)(adam_second * (double)second[i] +
		                    (1 - adam_second) * gradient * gradient);
		change = rate * (double)first[i] / first_part /
		         (sqrt((double)second[i] / second_part) + adam_least);
		if (run->kind == TRAINED_STEPS)
			run->at[i] = step_after(before, (float)((double)before * exp(-change)));
		else
			run->at[i] =
			        (float)((double)before - change - rate * decay * (double)before);
	}
}

void espl_parameters_move(espl_parameters *p, const espl_graph_run *run,
                          const espl_train_options *options, double rate, int64_t step)
{
	int64_t at = 0;

	for (int r = 0; r < p->run_count; r++) {
		const espl_trained *t = &p->runs[r];
		const double decay = t->kind == TRAINED_WEIGHTS ? options->weight_decay : 0;
		const double own = t->kind == TRAINED_STEPS ? rate * options->step_rate : rate;
		const float *gradients = t->gradient;
		float of_step;

		if (t->value >= 0) {
			of_step = espl_graph_run_step_gradient(run, t->value);
			gradients = &of_step;
		}
		if (options->optimizer == ESPL_OPTIMIZER_ADAM)
			move_adam(t, gradients, p->first + at, p->second + at, own,
			          options->momentum, decay, step);
		else
			move_sgd(t, gradients, p->first + at, own, options->momentum, decay);
		at += t->count;
	}
}

void espl_parameters_follow(espl_parameters *p, double decay, int64_t step)
{
	const double young = (1.0 + (double)step) / (10.0 + (double)step);
	const float keep = (float)(decay < young ? decay : young);
	float *average = p->average;

	for (int r = 0; r < p->run_count; average += p->runs[r++].count) {
		const espl_trained *t = &p->runs[r];

		for (int64_t i = 0; i < t->count; i++) {
			const bool pruned =
			        t->kind == TRAINED_WEIGHTS && !(t->at[i] < 0) && !(t->at[i] > 0);

			average[i] = pruned ? 0 : keep * average[i] + (1 - keep) * t->at[i];
		}
	}
}

void espl_parameters_get(const espl_parameters *p, float *to)
{
	for (int r = 0; r < p->run_count; to += p->runs[r++].count)
		memcpy(to, p->runs[r].at, (size_t)p->runs[r].count * sizeof(*to));
}

void espl_parameters_set(const espl_parameters *p, const float *from)
{
	for (int r = 0; r < p->run_count; from += p->runs[r++].count)
		memcpy(p->runs[r].at, from, (size_t)p->runs[r].count * sizeof(*from));
}

int64_t espl_norms_count(const espl_graph *graph)
{
	int64_t count = 0;

	for (int i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].gain)
			count += 2 * (int64_t)espl_node_outputs(graph, &graph->nodes[i]);
	return count;
}

void espl_norms_get(const espl_graph *graph, float *to)
{
	for (int i = 0; i < graph->node_count; i++) {
		const espl_node *node = &graph->nodes[i];
		const int channels = espl_node_outputs(graph, node);

		if (!node->gain)
			continue;
		memcpy(to, node->mean, (size_t)channels * sizeof(*to));
		memcpy(to + channels, node->variance, (size_t)channels * sizeof(*to));
		to += 2 * channels;
	}
}

void espl_norms_set(espl_graph *graph, const float *from)
{
	for (int i = 0; i < graph->node_count; i++) {
		espl_node *node = &graph->nodes[i];
		const int channels = espl_node_outputs(graph, node);

		if (!node->gain)
			continue;
		memcpy(node->mean, from, (size_t)channels * sizeof(*from));
		memcpy(node->variance, from + channels, (size_t)channels * sizeof(*from));
		from += 2 * channels;
	}
}
