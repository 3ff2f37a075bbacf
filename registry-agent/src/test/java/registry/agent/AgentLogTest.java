package registry.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AgentLogTest {
    /** A registered name once made a line of its own, in the form of any line of the log. */
    @Test
    void controlCharactersCannotForgeALine() {
        assertThat(
                        AgentLog.printable(
                                "Synced service: service=a\n2026-11-25T00:00:00.000Z [INFO]  agent: all well"))
                .doesNotContain("\n")
                .contains("\\n2026");
        assertThat(AgentLog.printable("a\u001b[31mb\tc")).isEqualTo("a\\u001b[31mb\\tc");
        assertThat(AgentLog.printable("plain ünï")).isEqualTo("plain ünï");
    }

    @Test
    void loggersAreNamedAsConsulNamesItsSubsystems() {
        assertThat(AgentLog.subsystem("registry.agent.Agent")).isEqualTo("agent");
        assertThat(AgentLog.subsystem("registry.agent.http.HttpApi")).isEqualTo("agent.http");
        assertThat(AgentLog.subsystem("registry.server.raft.Snapshots"))
                .isEqualTo("agent.server.raft");
    }
}
