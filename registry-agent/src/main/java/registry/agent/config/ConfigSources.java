package registry.agent.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * Where an agent's configuration comes from, lowest first: defaults, those of {@code -dev}, files
 * and directories in the order given, fragments, flags. Kept by the agent, so that a reload reads
 * the same sources again.
 *
 * @param devMode {@code -dev}
 * @param paths {@code -config-file} and {@code -config-dir} in the order given
 * @param format {@code json}: every file is JSON, whatever its suffix; empty: the suffix decides
 * @param fragments texts of {@code -hcl}
 * @param flags settings of the command line under their names in files
 */
public record ConfigSources(
        boolean devMode,
        List<String> paths,
        String format,
        List<String> fragments,
        ObjectNode flags) {
    public ConfigSources {
        paths = List.copyOf(paths);
        fragments = List.copyOf(fragments);
    }
}
