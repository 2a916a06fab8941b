// libpq without linking it: a server on SQLite then starts without libpq and what that brings along (Kerberos, LDAP,
// GnuTLS and twenty more), which together take 4 MB of memory and hold much code that nothing of ours calls.
//
// The functions in use are declared by libpq's own header under names of ours; libpq.c calls those of the library.
#pragma once

#define PQclear hilum_PQclear
#define PQcmdStatus hilum_PQcmdStatus
#define PQcmdTuples hilum_PQcmdTuples
#define PQconnectdb hilum_PQconnectdb
#define PQerrorMessage hilum_PQerrorMessage
#define PQexec hilum_PQexec
#define PQexecPrepared hilum_PQexecPrepared
#define PQfinish hilum_PQfinish
#define PQftype hilum_PQftype
#define PQgetisnull hilum_PQgetisnull
#define PQgetlength hilum_PQgetlength
#define PQgetvalue hilum_PQgetvalue
#define PQntuples hilum_PQntuples
#define PQprepare hilum_PQprepare
#define PQresultErrorField hilum_PQresultErrorField
#define PQresultStatus hilum_PQresultStatus
#define PQsetNoticeProcessor hilum_PQsetNoticeProcessor
#define PQstatus hilum_PQstatus
#define PQtransactionStatus hilum_PQtransactionStatus

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif

/// Loads libpq. Returns NULL, or why it could not be loaded, which is valid until the thread calls again.
/// Nothing else of this header may be called before it has succeeded. Not for two threads at a time.
const char *_Nullable hilum_libpq_load(void);
