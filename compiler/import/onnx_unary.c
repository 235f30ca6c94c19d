/* Functions of one value: clips that follow a sum, and tables of 256 values.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A function of a dequantized tensor stays REAL with its 256 results; functions of it, and sums
 * and products of two functions of one tensor, are again one, until QuantizeLinear makes a table.
 */
#include "import/onnx.h"

#include <math.h>
#include <string.h>

typedef double (*unary)(double x, double alpha, double beta);

static double relu(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return x > 0 ? x : 0;
}

static double leaky(double x, double alpha, double beta)
{
	(void)beta;
	return x < 0 ? alpha * x : x;
}

static double elu(double x, double alpha, double beta)
{
	(void)beta;
	return x < 0 ? alpha * (exp(x) - 1) : x;
}

static double selu(double x, double alpha, double beta)
{
	return beta * (x < 0 ? alpha * (exp(x) - 1) : x);
}

static double sigmoid(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return 1 / (1 + exp(-x));
}

static double hard_sigmoid(double x, double alpha, double beta)
{
	const double y = alpha * x + beta;

	return y < 0 ? 0 : y > 1 ? 1 : y;
}

static double hard_swish(double x, double alpha, double beta)
{
	return x * hard_sigmoid(x, alpha, beta);
}

static double hyperbolic(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return tanh(x);
}

static double softplus(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return x > 30 ? x : log(1 + exp(x));
}

static double softsign(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return x / (1 + fabs(x));
}

static double swish(double x, double alpha, double beta)
{
	(void)beta;
	return x / (1 + exp(-alpha * x));
}

static double mish(double x, double alpha, double beta)
{
	return x * tanh(softplus(x, alpha, beta));
}

static double gelu(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static double negative(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return -x;
}

static double absolute(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return fabs(x);
}

static double exponential(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return exp(x);
}

static double square_root(double x, double alpha, double beta)
{
	(void)alpha;
	(void)beta;
	return sqrt(x);
}

static const struct {
	const char *kind;
	unary function;
	float alpha, beta; /* where the attributes are absent */
	const char *beta_name;
} functions[] = {
        {"Relu", relu, 0, 0, "beta"},
        {"LeakyRelu", leaky, 0.01f, 0, "beta"},
        {"Elu", elu, 1, 0, "beta"},
        {"Selu", selu, 1.67326319217681884765625f, 1.05070102214813232421875f, "gamma"},
        {"Sigmoid", sigmoid, 0, 0, "beta"},
        {"HardSigmoid", hard_sigmoid, 0.2f, 0.5f, "beta"},
        {"HardSwish", hard_swish, 1.0f / 6, 0.5f, ""},
        {"Tanh", hyperbolic, 0, 0, "beta"},
        {"Softplus", softplus, 0, 0, "beta"},
        {"Softsign", softsign, 0, 0, "beta"},
        {"Swish", swish, 1, 0, "beta"},
        {"Mish", mish, 0, 0, "beta"},
        {"Gelu", gelu, 0, 0, "beta"},
        {"Neg", negative, 0, 0, "beta"},
        {"Abs", absolute, 0, 0, "beta"},
        {"Exp", exponential, 0, 0, "beta"},
        {"Sqrt", square_root, 0, 0, "beta"},
};

/* Replaces a REAL state's values by their function. */
static void apply(espl_onnx_import *in, const espl_onnx_node *node, const char *kind,
                  espl_onnx_state *state)
{
	const float *from = espl_onnx_reals(in, state);
	float *to = ESPL_ARRAY(in->arena, float, 256);
	size_t f = 0;
	double alpha, beta;

	while (strcmp(functions[f].kind, kind) != 0)
		f++;
	alpha = (double)espl_onnx_get_real(node, "alpha", functions[f].alpha);
	beta = (double)espl_onnx_get_real(node, functions[f].beta_name, functions[f].beta);
	for (int v = 0; v < 256; v++)
		to[v] = (float)functions[f].function((double)from[v], alpha, beta);
	state->values = to;
}

static const char *fail_pending(espl_onnx_import *in, const espl_onnx_node *node)
{
	return espl_arena_format(in->arena,
	                         "%s of a result that is not quantized: put QuantizeLinear and "
	                         "DequantizeLinear between",
	                         node->kind);
}

ESPL_ONNX_CONVERTER(unary)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	espl_onnx_state result;

	if (!x)
		return "it has no input";
	if (x->kind != ESPL_ONNX_REAL)
		return fail_pending(in, node);
	if (!strcmp(node->kind, "Gelu") &&
	    strcmp(espl_onnx_get_text(node, "approximate", "none"), "none") != 0)
		return "approximate is set";
	result = *x;
	apply(in, node, node->kind, &result);
	*espl_onnx_output(in, node, 0) = result;
	return NULL;
}

/* Clips a value to reals: a pending sum's clip, or a function. */
static const char *clip(espl_onnx_import *in, const espl_onnx_node *node, float low, float high)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	espl_onnx_state result;

	if (!x)
		return "it has no input";
	if (!(low <= high))
		return espl_arena_format(in->arena, "it clips to %g..%g", (double)low,
		                         (double)high);
	result = *x;
	if (x->kind == ESPL_ONNX_PENDING) {
		espl_onnx_pending *pending =
		        espl_arena_copy(in->arena, x->pending, sizeof *pending);

		pending->low = fminf(fmaxf(pending->low, low), high);
		pending->high = fminf(fmaxf(pending->high, low), high);
		result.pending = pending;
	} else if (x->kind == ESPL_ONNX_REAL) {
		const float *from = espl_onnx_reals(in, x);
		float *to = ESPL_ARRAY(in->arena, float, 256);

		for (int v = 0; v < 256; v++)
			to[v] = from[v] < low ? low : from[v] > high ? high : from[v];
		result.values = to;
	} else {
		return fail_pending(in, node);
	}
	*espl_onnx_output(in, node, 0) = result;
	return NULL;
}

ESPL_ONNX_CONVERTER(relu)
{
	return clip(in, node, 0, INFINITY);
}

/* One real: input n if it is there, else attribute or `absent`. */
static const char *read_bound(espl_onnx_import *in, const espl_onnx_node *node, int n,
                              const char *attribute, float absent, float *out)
{
	const espl_onnx_state *state = espl_onnx_input(in, node, n);

	*out = espl_onnx_get_real(node, attribute, absent);
	if (!state)
		return NULL;
	if (state->kind != ESPL_ONNX_CONSTANT || espl_onnx_elements(state) != 1)
		return espl_arena_format(in->arena, "the bound %s is not one constant",
		                         espl_onnx_input_name(in, node, n));
	*out = state->scaling
	               ? (float)(espl_onnx_integer_at(state->data, 0) - state->scaling->zeros[0]) *
	                         state->scaling->scales[0]
	               : (float)espl_onnx_real_at(state->data, 0);
	return NULL;
}

ESPL_ONNX_CONVERTER(clip)
{
	float low, high;
	const char *reason = read_bound(in, node, 1, "min", -INFINITY, &low);

	if (!reason)
		reason = read_bound(in, node, 2, "max", INFINITY, &high);
	return reason ? reason : clip(in, node, low, high);
}

/* com.microsoft.QLinearSigmoid and QLinearLeakyRelu: a table at once. */
ESPL_ONNX_CONVERTER(qlinear_unary)
{
	const char *kind = !strcmp(node->kind, "QLinearSigmoid") ? "Sigmoid" : "LeakyRelu";
	const char *reason = espl_onnx_operand(in, node, 0, 1, 2);
	espl_onnx_state result;
	bool is_unsigned;
	int32_t zero;
	float scale;
	int tensor = 0;

	if (!reason)
		reason = espl_onnx_quantization(in, node, 3, 4, &scale, &zero, &is_unsigned);
	if (reason)
		return reason;
	result = *espl_onnx_input(in, node, 0);
	apply(in, node, kind, &result);
	reason = espl_onnx_table(in, &result, scale, zero, is_unsigned,
	                         in->model->values[node->outputs[0]].name, &tensor);
	if (reason)
		return reason;
	result.kind = ESPL_ONNX_STORED;
	result.values = NULL;
	result.tensor = tensor;
	espl_onnx_transfer(in, espl_onnx_input(in, node, 0), &result);
	*espl_onnx_output(in, node, 0) = result;
	return NULL;
}

/* Goes back from a table's result to the tensor that it is a function of. */
static void rebase(espl_onnx_import *in, espl_onnx_state *state)
{
	while (in->axes[state->tensor].table) {
		const espl_onnx_axes *axes = &in->axes[state->tensor];
		const float *from = espl_onnx_reals(in, state);
		float *to = ESPL_ARRAY(in->arena, float, 256);
		espl_onnx_state next = *state;

		for (int v = 0; v < 256; v++)
			to[v] = from[axes->table[v] + 128];
		next.values = to;
		next.tensor = axes->table_source;
		espl_onnx_transfer(in, state, &next);
		*state = next;
	}
}

static bool same_axes(const espl_onnx_state *a, const espl_onnx_state *b)
{
	return a->tensor == b->tensor && a->axis_count == b->axis_count && a->rank == b->rank &&
	       !memcmp(a->axes, b->axes, (size_t)a->axis_count * sizeof a->axes[0]);
}

bool espl_onnx_combine(espl_onnx_import *in, const espl_onnx_node *node, bool multiply,
                       const char **reason)
{
	const espl_onnx_state *a = espl_onnx_input(in, node, 0);
	const espl_onnx_state *b = espl_onnx_input(in, node, 1);
	espl_onnx_state real, other;
	const float *p, *q;
	float *to, constant = 0;
	bool scalar;

	if (!a || !b) {
		*reason = "it does not have two inputs";
		return false;
	}
	if (a->kind == ESPL_ONNX_CONSTANT) {
		const espl_onnx_state *swap = a;

		a = b;
		b = swap;
	}
	scalar = b->kind == ESPL_ONNX_CONSTANT && espl_onnx_elements(b) == 1;
	if (a->kind != ESPL_ONNX_REAL || (b->kind != ESPL_ONNX_REAL && !scalar))
		return false;
	real = *a;
	other = *b;
	if (scalar) {
		constant =
		        b->scaling
		                ? (float)(espl_onnx_integer_at(b->data, 0) - b->scaling->zeros[0]) *
		                          b->scaling->scales[0]
		                : (float)espl_onnx_real_at(b->data, 0);
	} else if (!same_axes(&real, &other)) {
		rebase(in, &real);
		rebase(in, &other);
		if (!same_axes(&real, &other))
			return false;
	}
	p = espl_onnx_reals(in, &real);
	q = scalar ? NULL : espl_onnx_reals(in, &other);
	to = ESPL_ARRAY(in->arena, float, 256);
	for (int v = 0; v < 256; v++) {
		const float second = scalar ? constant : q[v];

		to[v] = multiply ? p[v] * second : p[v] + second;
	}
	real.values = to;
	*espl_onnx_output(in, node, 0) = real;
	return true;
}

ESPL_ONNX_CONVERTER(mul)
{
	const char *reason = NULL;

	if (espl_onnx_combine(in, node, true, &reason) || reason)
		return reason;
	return "it multiplies two different tensors: the engine multiplies by constants and by "
	       "functions of the same tensor only";
}
