/*
 * log.c: log, log2, log10, log1p and the extended-precision logarithm behind pow and the inverse hyperbolic functions.
 *
 * Method: table-driven reduction (Tang, "Table-driven implementation of the logarithm function in IEEE floating-point
 * arithmetic", 1990). x = 2^k m with m in [sqrt(1/2), sqrt(2)); c is about 1/m, rounded to 11 bits, so that
 * r = c m - 1 is small (|r| < 0.0122) and is found exactly as a pair; then log(x) = k ln2 - log(c) + log(1 + r), with
 * -log(c) tabulated as a pair and log(1 + r) a Taylor series whose first two terms are pairs. Near 1 the table gives
 * c = 1 and log(c) = 0, which keeps the relative error small there too.
 */
#include "internal.h"

typedef struct LogEntry {
  double reciprocal;   /* c */
  double logHi, logLo; /* -log(c) */
} LogEntry;

/* Entry j - 45 serves the m nearest to j/64. */
static const LogEntry kTable[47] = {
    {0x1.6c00000000000p+0, -0x1.686c81e9b14afp-2, 0x1.ddea0f7f58e3dp-57},
    {0x1.6440000000000p+0, -0x1.5262deeb98879p-2, -0x1.823ddad7fcfa1p-58},
    {0x1.5c80000000000p+0, -0x1.3bdd24eb14b6ap-2, -0x1.2da3c6449a7d0p-58},
    {0x1.5540000000000p+0, -0x1.26561f133862dp-2, -0x1.10cdf548bd15cp-57},
    {0x1.4e40000000000p+0, -0x1.111ce4003ee4dp-2, 0x1.1b84b5a5b5b2ap-57},
    {0x1.47c0000000000p+0, -0x1.fa01c3bb57cbcp-3, -0x1.1c0a3c50f47adp-59},
    {0x1.4140000000000p+0, -0x1.d0fb7f2255e51p-3, 0x1.4ac818ceca4c4p-57},
    {0x1.3b00000000000p+0, -0x1.a8becfc882f19p-3, 0x1.e8c37918c39ebp-58},
    {0x1.3540000000000p+0, -0x1.83040c91bcf2ep-3, 0x1.1c7233219bcc5p-57},
    {0x1.2f80000000000p+0, -0x1.5c940075972b9p-3, -0x1.adccb73379cc5p-58},
    {0x1.2a00000000000p+0, -0x1.371fc201e8f74p-3, -0x1.de6cb62af18a0p-58},
    {0x1.2480000000000p+0, -0x1.10f8e422539b1p-3, -0x1.8f798d39f1b7dp-58},
    {0x1.1f80000000000p+0, -0x1.db5270187d927p-4, -0x1.e15ab8607d2acp-58},
    {0x1.1a80000000000p+0, -0x1.9375e55595edep-4, 0x1.e463f9e4dd920p-59},
    {0x1.15c0000000000p+0, -0x1.4e01108a35ae6p-4, 0x1.81069d28db75bp-59},
    {0x1.1100000000000p+0, -0x1.075983598e471p-4, -0x1.80da5333c45b8p-59},
    {0x1.0c80000000000p+0, -0x1.868a83083f6cfp-5, 0x1.d09a5634943dbp-61},
    {0x1.0840000000000p+0, -0x1.03d5d85e73eefp-5, -0x1.2c1da539d60edp-61},
    {0x1.0400000000000p+0, -0x1.fc0a8b0fc03e4p-7, 0x1.83092c59642a1p-62},
    {0x1.0000000000000p+0, 0x0.0p+0, 0x0.0p+0},
    {0x1.f800000000000p-1, 0x1.0205658935847p-6, 0x1.27c8e8416e71fp-60},
    {0x1.f080000000000p-1, 0x1.f7a9b16782856p-6, -0x1.36c720c147756p-60},
    {0x1.e900000000000p-1, 0x1.788595a3577bap-5, 0x1.e5ef898b67923p-59},
    {0x1.e200000000000p-1, 0x1.eea31c006b87cp-5, -0x1.3e4fc93b7b66cp-59},
    {0x1.db00000000000p-1, 0x1.333d7f8183f4bp-4, 0x1.a92afc8ef70b1p-58},
    {0x1.d400000000000p-1, 0x1.700d30aeac0e1p-4, -0x1.72566212cdd05p-61},
    {0x1.cd80000000000p-1, 0x1.a956d3ecade63p-4, 0x1.e5300b12bd55ep-58},
    {0x1.c700000000000p-1, 0x1.e3707ee30487bp-4, 0x1.09ccecd579d99p-58},
    {0x1.c100000000000p-1, 0x1.0ce7ecdccc28dp-3, -0x1.692a0055dc959p-57},
    {0x1.bb00000000000p-1, 0x1.28753bc11aba5p-3, -0x1.6394d9fa33311p-57},
    {0x1.b500000000000p-1, 0x1.4462b9dc9b3dcp-3, -0x1.629c46c186385p-58},
    {0x1.af00000000000p-1, 0x1.60b3100b09476p-3, -0x1.5b2623e05016bp-58},
    {0x1.a980000000000p-1, 0x1.7b0091651528cp-3, 0x1.4069f303518c8p-57},
    {0x1.a400000000000p-1, 0x1.95a5adcf7017fp-3, 0x1.142c507fb7a3dp-58},
    {0x1.9f00000000000p-1, 0x1.ae2ca6f672bd4p-3, 0x1.ab5ca9eaa088ap-57},
    {0x1.9980000000000p-1, 0x1.c97f8079d44ecp-3, 0x1.61a8c6e6c4ee7p-57},
    {0x1.9480000000000p-1, 0x1.e2a877a6b2c12p-3, -0x1.fa21e3df99430p-58},
    {0x1.8f80000000000p-1, 0x1.fc218be620a5ep-3, -0x1.6e438c258187fp-58},
    {0x1.8b00000000000p-1, 0x1.09aa572e6c6d4p-2, 0x1.43c2e68684d53p-57},
    {0x1.8600000000000p-1, 0x1.16b5ccbacfb73p-2, 0x1.66fbd28b40935p-56},
    {0x1.8180000000000p-1, 0x1.22981fbef797bp-2, -0x1.0b04ac06cebe0p-59},
    {0x1.7d00000000000p-1, 0x1.2e9e2bce12286p-2, 0x1.8251a3b83d97ap-62},
    {0x1.7880000000000p-1, 0x1.3ac8ca38e5c5fp-2, -0x1.f7de015f253eep-56},
    {0x1.7480000000000p-1, 0x1.45b8c0a17df13p-2, 0x1.dbe305eaf5a20p-56},
    {0x1.7000000000000p-1, 0x1.522ae0738a3d8p-2, -0x1.8f7e9b38a6979p-57},
    {0x1.6c00000000000p-1, 0x1.5d5bddf595f30p-2, -0x1.6541148cbb8a2p-56},
    {0x1.6800000000000p-1, 0x1.68ac83e9c6a14p-2, 0x1.a64eadd740178p-58},
};

static const double kLn2Hi = 0x1.62e42fefa3800p-1; /* 42 bits: an exponent times it is exact */
static const double kLn2Lo = 0x1.ef35793c76730p-45;
static const Pair kLog2E = {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
static const Pair kLog10E = {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
static const double kLog10Of2Hi = 0x1.34413509f7800p-2; /* 42 bits */
static const double kLog10Of2Lo = 0x1.fef311f12b358p-46;

/* (log(1 + r) - r + r^2 / 2) / r^3 */
static const double kLogTail[9] = {1.0 / 3, -1.0 / 4, 1.0 / 5, -1.0 / 6, 1.0 / 7, -1.0 / 8, 1.0 / 9, -1.0 / 10, 1.0 / 11};

Pair onnx_aot_math_internal_log_split(double x, int *k) {
  uint64_t bits = toBits(x);
  int exponent = 0;
  int64_t offset;
  double m, head, cubic;
  const LogEntry *entry;
  Pair r, square, sum, sum2;
  if (bits < 0x0010000000000000u) { /* subnormal */
    bits = toBits(x * 0x1p54);
    exponent = -54;
  }
  /* Counting from sqrt(1/2) makes the exponent field of the difference the wanted k. */
  offset = (int64_t)(bits - 0x3fe6a09e667f3bcdu);
  exponent += (int)(offset >> 52);
  m = fromBits(bits - (uint64_t)((offset >> 52) * 0x10000000000000));
  *k = exponent;

  entry = &kTable[(int)(m * 64.0 + 0.5) - 45];
  head = fromBits(toBits(m) & 0xfffffffff8000000u);
  r = twoSum(head * entry->reciprocal - 1.0, (m - head) * entry->reciprocal);
  square = twoProduct(r.hi, r.hi);
  cubic = r.hi * square.hi * polynomial(r.hi, kLogTail, COUNT_OF(kLogTail));
  sum = twoSum(entry->logHi, r.hi);
  sum2 = twoSum(sum.hi, -0.5 * square.hi);
  return quickTwoSum(sum2.hi,
                     sum.lo + sum2.lo + (r.lo - 0.5 * square.lo - r.hi * r.lo) + (cubic + entry->logLo));
}

Pair onnx_aot_math_internal_log(double x) {
  int k;
  Pair logM = onnx_aot_math_internal_log_split(x, &k);
  Pair sum = twoSum(k * kLn2Hi, logM.hi);
  return quickTwoSum(sum.hi, sum.lo + (logM.lo + k * kLn2Lo));
}

/* The cases that all logarithms share: 1 when *result is final. */
static int isSpecial(double x, double *result) {
  if (isNan(x) || x == infinite()) {
    *result = x;
    return 1;
  }
  if (x <= 0.0) {
    *result = x == 0.0 ? -infinite() : notANumber();
    return 1;
  }
  return 0;
}

double onnx_aot_math_log(double x) {
  double special;
  Pair l;
  if (isSpecial(x, &special))
    return special;
  l = onnx_aot_math_internal_log(x);
  return l.hi + l.lo;
}

double onnx_aot_math_log2(double x) {
  double special;
  int k;
  Pair l, sum;
  if (isSpecial(x, &special))
    return special;
  l = multiplyPairs(onnx_aot_math_internal_log_split(x, &k), kLog2E);
  sum = twoSum(k, l.hi);
  return sum.hi + (sum.lo + l.lo);
}

double onnx_aot_math_log10(double x) {
  double special;
  int k;
  Pair l, sum;
  if (isSpecial(x, &special))
    return special;
  l = multiplyPairs(onnx_aot_math_internal_log_split(x, &k), kLog10E);
  sum = twoSum(k * kLog10Of2Hi, l.hi);
  return sum.hi + (sum.lo + (l.lo + k * kLog10Of2Lo));
}

double onnx_aot_math_log1p(double x) {
  Pair sum, l;
  if (isNan(x) || x == infinite() || absolute(x) < 0x1p-54)
    return x;
  if (x <= -1.0)
    return x == -1.0 ? -infinite() : notANumber();
  /* 1 + x = hi + lo exactly, and log(hi + lo) = log(hi) + lo / hi to far more than double precision. */
  sum = twoSum(1.0, x);
  l = onnx_aot_math_internal_log(sum.hi);
  return l.hi + (l.lo + sum.lo / sum.hi);
}
