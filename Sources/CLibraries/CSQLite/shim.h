#pragma once
#include <sqlite3.h>

/// Swift cannot import the function-pointer casts behind SQLITE_STATIC and SQLITE_TRANSIENT.
static inline int hilum_sqlite3_bind_text_copy(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}
static inline int hilum_sqlite3_bind_blob_copy(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    return sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}
