#include "CLibPQ.h"
#include <dlfcn.h>
#include <stddef.h>

// Every function in use, by its name in the library.
#define FUNCTIONS(each) \
    each(clear) \
    each(cmdStatus) \
    each(cmdTuples) \
    each(connectdb) \
    each(errorMessage) \
    each(exec) \
    each(execPrepared) \
    each(finish) \
    each(ftype) \
    each(getisnull) \
    each(getlength) \
    each(getvalue) \
    each(ntuples) \
    each(prepare) \
    each(resultErrorField) \
    each(resultStatus) \
    each(setNoticeProcessor) \
    each(status) \
    each(transactionStatus)

// Written by hilum_libpq_load before anything else reads them.
static struct {
#define POINTER(name) __typeof__(&hilum_PQ##name) name;
    FUNCTIONS(POINTER)
} libpq;

const char *hilum_libpq_load(void) {
#ifdef __APPLE__
    void *library = dlopen("libpq.5.dylib", RTLD_NOW | RTLD_LOCAL);
#else
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
#endif
    if (library == NULL) return dlerror();
#define LOAD(name) \
    libpq.name = (__typeof__(libpq.name))dlsym(library, "PQ" #name); \
    if (libpq.name == NULL) return "libpq has no PQ" #name;
    FUNCTIONS(LOAD)
    return NULL;
}

void PQclear(PGresult *result) {
    libpq.clear(result);
}
char *PQcmdStatus(PGresult *result) {
    return libpq.cmdStatus(result);
}
char *PQcmdTuples(PGresult *result) {
    return libpq.cmdTuples(result);
}
PGconn *PQconnectdb(const char *conninfo) {
    return libpq.connectdb(conninfo);
}
char *PQerrorMessage(const PGconn *connection) {
    return libpq.errorMessage(connection);
}
PGresult *PQexec(PGconn *connection, const char *query) {
    return libpq.exec(connection, query);
}
PGresult *PQexecPrepared(PGconn *connection, const char *name, int count, const char *const *values,
                       const int *lengths, const int *formats, int resultFormat) {
    return libpq.execPrepared(connection, name, count, values, lengths, formats, resultFormat);
}
void PQfinish(PGconn *connection) {
    libpq.finish(connection);
}
Oid PQftype(const PGresult *result, int column) {
    return libpq.ftype(result, column);
}
int PQgetisnull(const PGresult *result, int row, int column) {
    return libpq.getisnull(result, row, column);
}
int PQgetlength(const PGresult *result, int row, int column) {
    return libpq.getlength(result, row, column);
}
char *PQgetvalue(const PGresult *result, int row, int column) {
    return libpq.getvalue(result, row, column);
}
int PQntuples(const PGresult *result) {
    return libpq.ntuples(result);
}
PGresult *PQprepare(PGconn *connection, const char *name, const char *query, int count, const Oid *types) {
    return libpq.prepare(connection, name, query, count, types);
}
char *PQresultErrorField(const PGresult *result, int field) {
    return libpq.resultErrorField(result, field);
}
ExecStatusType PQresultStatus(const PGresult *result) {
    return libpq.resultStatus(result);
}
PQnoticeProcessor PQsetNoticeProcessor(PGconn *connection, PQnoticeProcessor processor, void *argument) {
    return libpq.setNoticeProcessor(connection, processor, argument);
}
ConnStatusType PQstatus(const PGconn *connection) {
    return libpq.status(connection);
}
PGTransactionStatusType PQtransactionStatus(const PGconn *connection) {
    return libpq.transactionStatus(connection);
}
