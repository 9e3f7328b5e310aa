// SPDX-License-Identifier: LGPL-2.1-or-later
extern "C" int uad_nobody_has_this();
extern "C" int uad_uses_nobody() { return uad_nobody_has_this(); }
