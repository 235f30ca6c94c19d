/* Noise of each pixel by itself.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/corrupt_kinds.h"

/* White is so many photons on average, and exp(-photons / 255), the chance that the darkest light
 * gives none; constants, as another machine's exp might differ. */
static const struct {
	int photons;
	double none;
} shots[ESPL_STRENGTHS] = {
        {60, 0x1.94a73adb8f366p-1}, {25, 0x1.d02f9ffd3ae9ap-1}, {12, 0x1.e876c99773eb9p-1},
        {5, 0x1.f60efe4d66ecdp-1},  {3, 0x1.fa030300bef18p-1},
};

/* Only products, quotients and sums: the same on every machine. */
void espl_fill_photons(uint32_t *photons)
{
	for (int s = 0; s < ESPL_STRENGTHS; s++) {
		double none = 1;

		for (int byte = 0; byte < 256; byte++) {
			const double mean = byte * shots[s].photons / 255.0;
			double chance = none, sum = 0;

			for (int k = 0; k < ESPL_PHOTONS; k++) {
				sum += chance;
				*photons++ = sum >= 1 ? UINT32_MAX : (uint32_t)(sum * 4294967295.0);
				chance *= mean / (k + 1);
			}
			none *= shots[s].none;
		}
	}
}

/* How many photons come: the least count whose chance reaches a random number. */
static int draw_photons(const uint32_t *chances, uint32_t random)
{
	int low = 0, high = ESPL_PHOTONS - 1;

	while (low < high) {
		const int middle = (low + high) / 2;

		if (random <= chances[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void espl_corrupt_shot_noise(espl_picture *p)
{
	const uint32_t *photons = p->of->photons + (size_t)p->strength * 256 * ESPL_PHOTONS;
	const int white = shots[p->strength].photons, count = espl_picture_bytes(p);

	for (int i = 0; i < count; i++)
		p->out[i] = espl_to_byte(draw_photons(photons + (size_t)p->in[i] * ESPL_PHOTONS,
		                                      espl_random_next(&p->random)) *
		                         255 / white);
}

/* That many of a hundred values become black or white. */
void espl_corrupt_impulse_noise(espl_picture *p)
{
	static const uint32_t percent[ESPL_STRENGTHS] = {3, 6, 9, 17, 27};
	const uint32_t least = UINT32_MAX / 100 * percent[p->strength];
	const int count = espl_picture_bytes(p);

	for (int i = 0; i < count; i++) {
		const uint32_t random = espl_random_next(&p->random);

		p->out[i] = random >= least ? p->in[i] : random & 1 ? 255 : 0;
	}
}
