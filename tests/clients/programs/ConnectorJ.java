// SPDX-License-Identifier: Apache-2.0

/** JDBC: ConnectorJ.java mariadb|mysql. Logins, TLS, text, prepared on either side, batches, several results, local files,
 * Statement.cancel(), and sessions that the server has ended. */
import java.math.BigDecimal;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;

public class ConnectorJ {
    static String driver;
    static final Map<String, String> env = System.getenv();

    static String variable(String name) {
        return env.get("WEIR_TEST_" + name);
    }

    interface Call {
        Object run() throws Exception;
    }

    static void show(String feature, String what, Call call) {
        System.out.println(feature + ": " + what + " " + outcome(call));
    }

    static Object outcome(Call call) {
        try {
            return call.run();
        } catch (SQLException e) {
            // The texts of a driver name addresses, threads and times; the server's own errors have a number.
            boolean own = e.getErrorCode() >= 1000 && e.getErrorCode() < 5000;
            String text = own ? " " + String.valueOf(e.getMessage()).replaceAll("\\(conn=-?\\d+\\) ", "").split("\n")[0] : "";
            return e.getClass().getSimpleName() + " " + e.getErrorCode() + " " + e.getSQLState() + text;
        } catch (Exception e) {
            return e.toString();
        }
    }

    static Connection open(String user, String password, String options) throws SQLException {
        String common = driver.equals("mysql") ? "allowLoadLocalInfile=true&sslMode=DISABLED&" : "allowLocalInfile=true&";
        if (options.contains("sslMode") || options.contains("useSsl")) {
            common = "";
        }
        return DriverManager.getConnection("jdbc:" + driver + "://" + variable("HOST") + ":" + variable("PORT") + "/" + variable("DATABASE")
            + "?" + common + "allowMultiQueries=true&" + options, user, password);
    }

    static Connection open(String options) throws SQLException {
        return open(variable("USER"), variable("PASSWORD"), options);
    }

    static String rows(ResultSet found) throws SQLException {
        StringBuilder said = new StringBuilder();
        int columns = found.getMetaData().getColumnCount();
        while (found.next()) {
            for (int i = 1; i <= columns; i++) {
                String value = found.getString(i);
                said.append(value == null || value.length() < 100 ? value : value.length() + " characters").append('|');
            }
            said.append(';');
        }
        return said.toString();
    }

    /** All results of a statement. */
    static String all(Connection connection, String text) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            StringBuilder said = new StringBuilder();
            boolean isResult = statement.execute(text);
            while (isResult || statement.getUpdateCount() != -1) {
                said.append(isResult ? rows(statement.getResultSet()) : "updated " + statement.getUpdateCount()).append(' ');
                isResult = statement.getMoreResults();
            }
            return said.toString();
        }
    }

    static String who(String user, String password, String options) throws SQLException {
        try (Connection connection = open(user, password, options)) {
            return all(connection, "SELECT USER(), CURRENT_USER(), DATABASE()");
        }
    }

    static void logins() {
        String user = variable("USER"), password = variable("PASSWORD");
        show("login", "native", () -> who(user, password, ""));
        show("login", "no password", () -> who("nopassword", "", ""));
        show("login", "ed25519", () -> who("ed", "ed-secret", ""));
        show("login", "wrong password", () -> who(user, "wrong", ""));
        String own = env.get("WEIR_TEST_JDBC_TLS");
        show("tls", "verified", () -> who(user, password, own));
        show("tls", "ed25519", () -> who("ed", "ed-secret", own));
    }

    static void prepared(String how, String options) throws Exception {
        try (Connection connection = open(options)) {
            all(connection, "CREATE OR REPLACE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), f DOUBLE, "
                + "d DATETIME(3), day DATE, b LONGBLOB)");
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t (t, n, f, d, day, b) VALUES (?, ?, ?, ?, ?, ?)",
                     Statement.RETURN_GENERATED_KEYS)) {
                for (int i = 0; i < 3; i++) {
                    insert.setString(1, i == 1 ? null : "Grüße 🌍");
                    insert.setBigDecimal(2, new BigDecimal("12345.678"));
                    insert.setDouble(3, i / 2.0);
                    insert.setTimestamp(4, Timestamp.valueOf("2024-02-29 12:34:56.789"));
                    insert.setDate(5, java.sql.Date.valueOf("2024-02-29"));
                    insert.setBinaryStream(6, new java.io.ByteArrayInputStream(new byte[i * 100000]));
                    show("prepared", how, insert::executeUpdate);
                    show("prepared", how, () -> rows(insert.getGeneratedKeys()));
                }
            }
            try (PreparedStatement select = connection.prepareStatement("SELECT id, t, n, f, d, day, LENGTH(b) FROM t WHERE id > ?")) {
                for (int i = 0; i < 3; i++) {
                    select.setInt(1, i);
                    show("prepared", how, () -> rows(select.executeQuery()));
                }
            }
            show("prepared", how + " an error", () -> connection.prepareStatement("SELECT ? FROM nowhere").executeQuery());
            connection.setAutoCommit(false);
            try (PreparedStatement batch = connection.prepareStatement("INSERT INTO t (t, n, b) VALUES (?, ?, ?)")) {
                for (int i = 0; i < 500; i++) {
                    batch.setString(1, "row " + i);
                    batch.setInt(2, i);
                    batch.setBytes(3, new byte[10]);
                    batch.addBatch();
                }
                show("bulk", how, () -> batch.executeBatch().length);
            }
            show("bulk", how, () -> all(connection, "SELECT COUNT(*), SUM(n), MAX(t) FROM t"));
            connection.rollback();
            show("bulk", how + " rolled back", () -> all(connection, "SELECT COUNT(*) FROM t"));
        }
    }

    static void results() throws Exception {
        try (Connection connection = open("")) {
            show("text", "types", () -> all(connection, "SELECT 1, -2.50, 'ä 🌍', NULL, DATE'2024-02-29', x'00ff', 1e10"));
            show("text", "update", () -> all(connection, "UPDATE t SET t = 'x' WHERE id < 3"));
            Statement streamed = connection.createStatement();
            streamed.setFetchSize(driver.equals("mysql") ? Integer.MIN_VALUE : 10);
            show("text", "streamed", () -> rows(streamed.executeQuery("SELECT seq FROM seq_1_to_5000")).length());
            streamed.close();
            show("multi", "statements", () -> all(connection, "SELECT 1; UPDATE t SET t = 'y' WHERE id < 3; SELECT 2, 3"));
            show("multi", "an error within", () -> all(connection, "SELECT 1; SELEC; SELECT 3"));
            all(connection, "CREATE PROCEDURE p(IN a INT, OUT b INT) BEGIN SELECT a; SELECT a + 1; SET b = a + 2; END");
            CallableStatement call = connection.prepareCall("{CALL p(?, ?)}");
            call.setInt(1, 5);
            call.registerOutParameter(2, Types.INTEGER);
            show("multi", "procedure", () -> call.execute() + " " + rows(call.getResultSet()) + call.getMoreResults() + rows(call.getResultSet()));
            show("multi", "procedure", () -> call.getInt(2));
            all(connection, "CREATE TABLE loaded (a INT, b VARCHAR(20))");
            show("infile", "loaded", () -> all(connection, "LOAD DATA LOCAL INFILE '" + variable("FILE") + "' INTO TABLE loaded"));
            show("infile", "no such file", () -> all(connection, "LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE loaded"));
            show("infile", "rows", () -> all(connection, "SELECT COUNT(*), SUM(a) FROM loaded"));
            show("errors", "syntax", () -> all(connection, "SELEC 1"));
            show("errors", "duplicate", () -> all(connection, "INSERT INTO t (id) VALUES (1)"));
            show("errors", "and then", () -> all(connection, "SELECT 1"));
            String text = "x".repeat(17000000);
            show("large", "sent", () -> all(connection, "SELECT LENGTH('" + text + "')"));
            show("large", "read", () -> all(connection, "SELECT REPEAT('y', 17000000)"));
            show("text", "metadata", () -> rows(connection.getMetaData().getColumns(variable("DATABASE"), null, "loaded", "%")));
        }
    }

    static boolean running(Connection watcher) throws SQLException {
        return !all(watcher, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SELECT SLEEP(30)' AND ID <> CONNECTION_ID()").startsWith("0");
    }

    static void cancel(Connection watcher, String options) throws Exception {
        try (Connection connection = open(options); Statement statement = connection.createStatement()) {
            long start = System.nanoTime();
            Future<?> sleeping = Executors.newSingleThreadExecutor(ConnectorJ::daemon).submit(
                () -> outcome(() -> rows(statement.executeQuery("SELECT SLEEP(30)"))));
            while (!running(watcher)) {
            }
            show("cancel", "cancel()", () -> {
                statement.cancel();
                return "done";
            });
            show("cancel", "the statement", sleeping::get);
            show("cancel", "soon", () -> System.nanoTime() - start < 20e9);
            show("cancel", "and then", () -> all(connection, "SELECT 1"));
            statement.setQueryTimeout(1);
            show("cancel", "setQueryTimeout", () -> rows(statement.executeQuery("SELECT SLEEP(30)")));
            show("cancel", "and then", () -> all(connection, "SELECT 1"));
        }
    }

    static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    static Connection idle(Connection watcher, String options) throws Exception {
        Connection connection = open(options);
        all(connection, "SET SESSION wait_timeout = 1");
        all(connection, "SELECT GET_LOCK('idle', 0)");
        all(watcher, "SELECT GET_LOCK('idle', 60)");
        all(watcher, "SELECT RELEASE_LOCK('idle')");
        Thread.sleep(300);
        return connection;
    }

    static void lost(Connection watcher) throws Exception {
        Connection gone = idle(watcher, "");
        show("reconnect", "a statement", () -> all(gone, "SELECT 1"));
        show("reconnect", "another", () -> all(gone, "SELECT 1"));
        show("reconnect", "isClosed", gone::isClosed);
        Connection again = idle(watcher, "autoReconnect=true");
        show("reconnect", "autoReconnect", () -> all(again, "SELECT 1"));
        show("reconnect", "autoReconnect, another", () -> all(again, "SELECT 1"));
        Connection pooled = idle(watcher, "");
        show("pool", "isValid", () -> pooled.isValid(5));
        show("pool", "isValid of a living one", () -> watcher.isValid(5));
    }

    public static void main(String[] arguments) throws Exception {
        driver = arguments[0];
        logins();
        boolean mysql = driver.equals("mysql");
        prepared("by the client", mysql ? "useServerPrepStmts=false" : "useServerPrepStmts=false");
        prepared("by the server", "useServerPrepStmts=true");
        prepared("rewritten", mysql ? "rewriteBatchedStatements=true" : env.get("WEIR_TEST_JDBC_BULK"));
        results();
        Connection watcher = open("");
        cancel(watcher, "");
        lost(watcher);
        System.exit(0);
    }
}
