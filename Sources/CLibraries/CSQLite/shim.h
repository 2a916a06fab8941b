#pragma once
#include <sqlite3.h>

/// Memory statistics cost a lock for each allocation and are asked for by nobody. Before the first connection only.
/// (A variadic function, which Swift cannot call.)
static inline int hilum_sqlite3_without_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

/// Swift cannot import the function-pointer casts behind SQLITE_STATIC and SQLITE_TRANSIENT.
static inline int hilum_sqlite3_bind_text_copy(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}
static inline int hilum_sqlite3_bind_blob_copy(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    return sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}

/// Extended result codes, macros that Swift cannot import.
static const int hilum_SQLITE_IOERR_WRITE = SQLITE_IOERR_WRITE;
static const int hilum_SQLITE_IOERR_FSYNC = SQLITE_IOERR_FSYNC;
static const int hilum_SQLITE_IOERR_DIR_FSYNC = SQLITE_IOERR_DIR_FSYNC;
static const int hilum_SQLITE_IOERR_TRUNCATE = SQLITE_IOERR_TRUNCATE;
static const int hilum_SQLITE_IOERR_COMMIT_ATOMIC = SQLITE_IOERR_COMMIT_ATOMIC;
static const int hilum_SQLITE_IOERR_CLOSE = SQLITE_IOERR_CLOSE;
