#pragma once
#if __has_include(<openjpeg.h>)
#include <openjpeg.h>
#else
#include <openjpeg-2.5/openjpeg.h>
#endif
#include <stdlib.h>
#include <string.h>

/// A codestream in memory: read up to `length`, or written and grown up to `limit`.
typedef struct {
    unsigned char *_Nullable bytes;
    size_t length;
    size_t capacity;
    size_t limit;
    size_t position;
} hilum_opj_memory;

static inline OPJ_SIZE_T hilum_opj_read(void *to, OPJ_SIZE_T count, void *data) {
    hilum_opj_memory *memory = (hilum_opj_memory *)data;
    if (memory->position >= memory->length) return (OPJ_SIZE_T)-1;
    size_t left = memory->length - memory->position;
    size_t taken = count < left ? count : left;
    memcpy(to, memory->bytes + memory->position, taken);
    memory->position += taken;
    return taken;
}

static inline OPJ_OFF_T hilum_opj_skip(OPJ_OFF_T count, void *data) {
    hilum_opj_memory *memory = (hilum_opj_memory *)data;
    size_t end = memory->limit > memory->length ? memory->limit : memory->length;
    if (count < 0 || memory->position > end || (size_t)count > end - memory->position) return -1;
    memory->position += (size_t)count;
    return count;
}

static inline OPJ_BOOL hilum_opj_seek(OPJ_OFF_T to, void *data) {
    hilum_opj_memory *memory = (hilum_opj_memory *)data;
    if (to < 0 || (size_t)to > memory->length) return OPJ_FALSE;
    memory->position = (size_t)to;
    return OPJ_TRUE;
}

static inline OPJ_SIZE_T hilum_opj_write(void *from, OPJ_SIZE_T count, void *data) {
    hilum_opj_memory *memory = (hilum_opj_memory *)data;
    if (memory->position > memory->limit || count > memory->limit - memory->position) return (OPJ_SIZE_T)-1;
    size_t end = memory->position + count;
    if (end > memory->capacity) {
        size_t wanted = memory->capacity * 2 > end ? memory->capacity * 2 : end;
        if (wanted > memory->limit) wanted = memory->limit;
        unsigned char *grown = (unsigned char *)realloc(memory->bytes, wanted);
        if (!grown) return (OPJ_SIZE_T)-1;
        memset(grown + memory->capacity, 0, wanted - memory->capacity);
        memory->bytes = grown;
        memory->capacity = wanted;
    }
    memcpy(memory->bytes + memory->position, from, count);
    memory->position = end;
    if (end > memory->length) memory->length = end;
    return count;
}

/// A stream over `memory`, which outlives it. NULL when there is no memory for one.
static inline opj_stream_t *_Nullable hilum_opj_stream(hilum_opj_memory *_Nonnull memory, OPJ_BOOL isInput) {
    opj_stream_t *stream = opj_stream_create(1 << 16, isInput);
    if (!stream) return NULL;
    opj_stream_set_user_data(stream, memory, NULL);
    opj_stream_set_user_data_length(stream, isInput ? memory->length : 0);
    opj_stream_set_skip_function(stream, hilum_opj_skip);
    opj_stream_set_seek_function(stream, hilum_opj_seek);
    if (isInput) {
        opj_stream_set_read_function(stream, hilum_opj_read);
    } else {
        opj_stream_set_write_function(stream, hilum_opj_write);
    }
    return stream;
}
