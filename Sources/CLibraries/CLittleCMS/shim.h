#pragma once
#include <lcms2.h>
#include <stddef.h>

/// A profile of RGB in memory, of a device or a colour space; NULL for anything else.
static inline cmsHPROFILE _Nullable hilum_lcms_open(const void *_Nullable bytes, size_t count) {
    if (!bytes || count > 0xFFFFFFFFu) return NULL;
    cmsHPROFILE profile = cmsOpenProfileFromMem(bytes, (cmsUInt32Number)count);
    if (!profile) return NULL;
    cmsProfileClassSignature kind = cmsGetDeviceClass(profile);
    if (cmsGetColorSpace(profile) == cmsSigRgbData &&
        (kind == cmsSigInputClass || kind == cmsSigDisplayClass || kind == cmsSigOutputClass ||
         kind == cmsSigColorSpaceClass))
        return profile;
    cmsCloseProfile(profile);
    return NULL;
}

/// Brings `count` pixels of RGB, 8 bits a sample, from the colours of one profile to those of another, in their place.
/// 0 when that is done; 1 for a source that is no profile of RGB, 2 for such a target, 3 for profiles that lack what
/// a conversion needs.
static inline int hilum_lcms_convert(
    const void *_Nullable source, size_t sourceCount, const void *_Nullable target, size_t targetCount,
    unsigned char *_Nonnull pixels, size_t count) {
    cmsHPROFILE from = hilum_lcms_open(source, sourceCount);
    if (!from) return 1;
    cmsHPROFILE to = hilum_lcms_open(target, targetCount);
    if (!to) {
        cmsCloseProfile(from);
        return 2;
    }
    cmsHTRANSFORM transform =
        cmsCreateTransform(from, TYPE_RGB_8, to, TYPE_RGB_8, INTENT_PERCEPTUAL, cmsFLAGS_HIGHRESPRECALC);
    cmsCloseProfile(from);
    cmsCloseProfile(to);
    if (!transform) return 3;
    for (size_t done = 0; done < count;) {
        size_t part = count - done < (1u << 20) ? count - done : (1u << 20);
        cmsDoTransform(transform, pixels + 3 * done, pixels + 3 * done, (cmsUInt32Number)part);
        done += part;
    }
    cmsDeleteTransform(transform);
    return 0;
}
