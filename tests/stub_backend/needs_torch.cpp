// SPDX-License-Identifier: LGPL-2.1-or-later
extern "C" int uad_fake_torch();
extern "C" int uad_uses_torch() { return uad_fake_torch(); }
