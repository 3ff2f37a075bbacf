package registry.haproxy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Remembers what was sent, and answers as HAProxy 2.6 does unless it is told another reply. */
final class RecordingRuntimeApi implements RuntimeApi {
    static final String HEADER =
            "1\n# be_id be_name srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_time_since_last_change srv_port\n";

    private final Map<String, String> replies = new HashMap<>();
    private final List<String> sent = new ArrayList<>();

    RecordingRuntimeApi reply(String command, String reply) {
        replies.put(command, reply);
        return this;
    }

    /** Commands that change something, in their order. */
    List<String> changes() {
        return sent.stream()
                .filter(command -> command.startsWith("set ") || command.startsWith("shutdown "))
                .toList();
    }

    @Override
    public Session connect() {
        return new Session() {
            @Override
            public String send(String command) {
                return ask(command);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public String ask(String command) {
        sent.add(command);
        String reply = replies.get(command);
        if (reply != null) {
            return reply;
        }
        if (command.contains(" addr ")) {
            String port = command.substring(command.lastIndexOf(' ') + 1);
            return "IP changed from '127.0.0.1' to '10.0.0.1', port changed from '1' to '"
                    + port
                    + "' by 'stats socket command'";
        }
        if (command.startsWith("show stat ")) {
            return "# pxname,svname,scur";
        }
        return command.equals("get var proc.cfgver") ? "Variable not found." : "";
    }
}
