/* A MariaDB server for one test program. */
#include "tools/private_mariadb.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_WAIT_MS 60000
#define POLL_MS       20

static const char *binary(void)
{
    static const char *const paths[] = {"/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/usr/local/sbin/mariadbd"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return NULL;
}

bool private_mariadb_possible(void)
{
    const char *ci = getenv("CI");
    if (binary())
        return true;
    fprintf(stderr, "no mariadbd: install mariadb-server\n");
    if (ci && strcmp(ci, "true") == 0)
        exit(1);
    return false;
}

/* In the child. */
static void run(const struct private_mariadb *srv)
{
    char data[96], socket[128], pid[96], tmp[96], id[64], log[96];
    snprintf(data, sizeof data, "--datadir=%s", srv->dir);
    snprintf(socket, sizeof socket, "--socket=%s", srv->socket);
    snprintf(pid, sizeof pid, "--pid-file=%s/pid", srv->dir);
    snprintf(tmp, sizeof tmp, "--tmpdir=%s", srv->dir);
    snprintf(id, sizeof id, "--server-id=%s", srv->server_id);
    snprintf(log, sizeof log, "%s/server.log", srv->dir);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    char *const argv[] = {(char *)(uintptr_t)binary(),
                          (char *)(uintptr_t) "--no-defaults",
                          (char *)(uintptr_t)(geteuid() == 0 ? "--user=root" : "--skip-external-locking"),
                          data,
                          socket,
                          pid,
                          tmp,
                          id,
                          (char *)(uintptr_t) "--skip-networking",
                          (char *)(uintptr_t) "--skip-grant-tables",
                          (char *)(uintptr_t) "--log-bin=bin",
                          (char *)(uintptr_t) "--binlog-format=ROW",
                          (char *)(uintptr_t) "--binlog-row-metadata=FULL",
                          (char *)(uintptr_t) "--innodb-log-file-size=4M",
                          (char *)(uintptr_t) "--innodb-buffer-pool-size=8M",
                          (char *)(uintptr_t) "--performance-schema=OFF",
                          NULL};
    execv(argv[0], argv);
    _exit(127);
}

static bool answers(const struct private_mariadb *srv)
{
    struct client_options opt = private_mariadb_options(srv);
    struct client *cli = NULL;
    bool ok = client_connect(&cli, &opt, NULL) == 0;
    client_close(cli);
    return ok;
}

bool private_mariadb_restart(struct private_mariadb *srv)
{
    srv->pid = fork();
    if (srv->pid == 0)
        run(srv);
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000};
    for (int waited = 0; srv->pid > 0 && waited < READY_WAIT_MS; waited += POLL_MS) {
        if (answers(srv))
            return true;
        if (waitpid(srv->pid, NULL, WNOHANG) != 0)
            break;
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "mariadbd does not start: see %s/server.log\n", srv->dir);
    return false;
}

/* Without this table the server serves no dump by GTID. */
static bool add_system_table(const struct private_mariadb *srv)
{
    static const char *const statements[] = {
        "SET sql_log_bin = 0", "CREATE DATABASE mysql",
        "CREATE TABLE mysql.gtid_slave_pos (domain_id INT UNSIGNED NOT NULL, sub_id BIGINT UNSIGNED NOT NULL, "
        "server_id INT UNSIGNED NOT NULL, seq_no BIGINT UNSIGNED NOT NULL, PRIMARY KEY (domain_id, sub_id)) "
        "ENGINE=InnoDB"};
    struct client_options opt = private_mariadb_options(srv);
    struct client *cli = NULL;
    bool ok = client_connect(&cli, &opt, NULL) == 0;
    for (size_t i = 0; ok && i < sizeof statements / sizeof *statements; i++)
        ok = client_execute(cli, statements[i], NULL) == 0;
    client_close(cli);
    return ok;
}

bool private_mariadb_start(struct private_mariadb *srv, unsigned server_id)
{
    memset(srv, 0, sizeof *srv);
    snprintf(srv->dir, sizeof srv->dir, "/tmp/sluice-unit-XXXXXX");
    if (!mkdtemp(srv->dir))
        return false;
    snprintf(srv->socket, sizeof srv->socket, "%s/s", srv->dir);
    snprintf(srv->server_id, sizeof srv->server_id, "%u", server_id);
    return private_mariadb_restart(srv) && add_system_table(srv);
}

void private_mariadb_kill(struct private_mariadb *srv)
{
    if (srv->pid <= 0)
        return;
    kill(srv->pid, SIGKILL);
    while (waitpid(srv->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    srv->pid = 0;
    unlink(srv->socket);
}

void private_mariadb_remove(struct private_mariadb *srv)
{
    private_mariadb_kill(srv);
    if (srv->dir[0] == '\0')
        return;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", srv->dir, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    srv->dir[0] = '\0';
}

struct client_options private_mariadb_options(const struct private_mariadb *srv)
{
    return (struct client_options){.socket = srv->socket, .user = "root", .connect_timeout_ms = 10000};
}
