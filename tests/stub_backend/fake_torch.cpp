// SPDX-License-Identifier: LGPL-2.1-or-later
extern "C" int uad_fake_torch() { return 1; }
