// SPDX-License-Identifier: Apache-2.0
// Connector/J: Statement.cancel() of text and prepared statements, setQueryTimeout(), and what the connection does after it.
import java.sql.*;

public class Cancel {
    static Connection connect(String more) throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://" + System.getenv("WEIR_TEST_HOST") + ":" + System.getenv("WEIR_TEST_PORT")
            + "/" + System.getenv("WEIR_TEST_DATABASE") + "?user=" + System.getenv("WEIR_TEST_USER") + "&password="
            + System.getenv("WEIR_TEST_PASSWORD") + more);
    }

    interface Run { void run() throws SQLException; }

    static void show(String name, Run run) {
        try {
            run.run();
            System.out.println(name + ": it ended by itself");
        } catch (SQLException e) {
            System.out.println(name + ": " + e.getClass().getSimpleName() + " " + e.getErrorCode() + " " + e.getSQLState() + " "
                + e.getMessage().replaceAll("conn=\\d+", "conn=N"));
        }
    }

    // Cancels the statement once the server is in it.
    static void cancelled(String name, Connection watcher, Statement statement, Run run) throws Exception {
        Thread canceller = new Thread(() -> {
            try (Statement look = watcher.createStatement()) {
                for (boolean asleep = false; !asleep; )
                    try (ResultSet rows = look.executeQuery("SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep'")) {
                        asleep = rows.next();
                    }
                statement.cancel();
            } catch (SQLException e) {
                System.out.println("cancel: " + e);
            }
        });
        canceller.start();
        show(name, run);
        canceller.join();
    }

    public static void main(String[] arguments) throws Exception {
        for (String more : new String[] {"", "&useServerPrepStmts=true"})
            try (Connection connection = connect(more); Connection watcher = connect("")) {
                Statement statement = connection.createStatement();
                cancelled("cancel", watcher, statement, () -> statement.executeQuery("SELECT SLEEP(30)"));
                PreparedStatement prepared = connection.prepareStatement("SELECT SLEEP(?)");
                prepared.setInt(1, 30);
                cancelled("cancel, prepared", watcher, prepared, () -> prepared.executeQuery());
                statement.setQueryTimeout(1);
                show("timeout", () -> statement.executeQuery("SELECT SLEEP(30)"));
                try (ResultSet rows = connection.createStatement().executeQuery("SELECT 'it goes on'")) {
                    rows.next();
                    System.out.println(rows.getString(1));
                }
            }
    }
}
