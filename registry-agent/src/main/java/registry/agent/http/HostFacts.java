package registry.agent.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code /v1/agent/host} tells of the machine, read from Linux's /proc; names as Consul's,
 * absent facts are 0 or "".
 */
final class HostFacts {
    private static final Path PROC = Path.of("/proc");

    /** The body of the answer. */
    record Facts(
            Map<String, Object> memory,
            @JsonProperty("CPU") List<Map<String, Object>> cpu,
            Map<String, Object> host,
            Map<String, Object> disk,
            long collectionTime,
            @Nullable List<String> errors) {}

    private HostFacts() {}

    static Facts collect() {
        Instant now = Instant.now();
        return new Facts(
                memory(),
                processors(),
                host(),
                disk(),
                now.getEpochSecond() * 1_000_000_000L + now.getNano(),
                null);
    }

    private static Map<String, Object> memory() {
        Map<String, String> info = pairs("meminfo");
        long total = bytes(info, "MemTotal");
        long free = bytes(info, "MemFree");
        long cached = bytes(info, "Cached") + bytes(info, "SReclaimable");
        long used = Math.max(0, total - free - bytes(info, "Buffers") - cached);
        var memory = new LinkedHashMap<String, Object>();
        memory.put("total", total);
        memory.put("available", bytes(info, "MemAvailable"));
        memory.put("used", used);
        memory.put("usedPercent", percent(used, total));
        memory.put("free", free);
        memory.put("active", bytes(info, "Active"));
        memory.put("inactive", bytes(info, "Inactive"));
        memory.put("wired", 0);
        memory.put("laundry", 0);
        memory.put("buffers", bytes(info, "Buffers"));
        memory.put("cached", cached);
        memory.put("writeBack", bytes(info, "Writeback"));
        memory.put("dirty", bytes(info, "Dirty"));
        memory.put("writeBackTmp", bytes(info, "WritebackTmp"));
        memory.put("shared", bytes(info, "Shmem"));
        memory.put("slab", bytes(info, "Slab"));
        memory.put("sreclaimable", bytes(info, "SReclaimable"));
        memory.put("sunreclaim", bytes(info, "SUnreclaim"));
        memory.put("pageTables", bytes(info, "PageTables"));
        memory.put("swapCached", bytes(info, "SwapCached"));
        memory.put("commitLimit", bytes(info, "CommitLimit"));
        memory.put("committedAS", bytes(info, "Committed_AS"));
        memory.put("highTotal", bytes(info, "HighTotal"));
        memory.put("highFree", bytes(info, "HighFree"));
        memory.put("lowTotal", bytes(info, "LowTotal"));
        memory.put("lowFree", bytes(info, "LowFree"));
        memory.put("swapTotal", bytes(info, "SwapTotal"));
        memory.put("swapFree", bytes(info, "SwapFree"));
        memory.put("mapped", bytes(info, "Mapped"));
        memory.put("vmallocTotal", bytes(info, "VmallocTotal"));
        memory.put("vmallocUsed", bytes(info, "VmallocUsed"));
        memory.put("vmallocChunk", bytes(info, "VmallocChunk"));
        memory.put("hugePagesTotal", number(info.get("HugePages_Total")));
        memory.put("hugePagesFree", number(info.get("HugePages_Free")));
        memory.put("hugePageSize", bytes(info, "Hugepagesize"));
        return memory;
    }

    private static List<Map<String, Object>> processors() {
        var all = new ArrayList<Map<String, Object>>();
        for (String block : read("cpuinfo").split("\n\n", -1)) {
            Map<String, String> info = pairsOf(block);
            if (!info.containsKey("processor")) {
                continue;
            }
            var one = new LinkedHashMap<String, Object>();
            one.put("cpu", number(info.get("processor")));
            one.put("vendorId", info.getOrDefault("vendor_id", ""));
            one.put("family", info.getOrDefault("cpu family", ""));
            one.put("model", info.getOrDefault("model", ""));
            one.put("stepping", number(info.get("stepping")));
            one.put("physicalId", info.getOrDefault("physical id", ""));
            one.put("coreId", info.getOrDefault("core id", ""));
            one.put("cores", 1);
            one.put("modelName", info.getOrDefault("model name", ""));
            one.put("mhz", decimal(info.get("cpu MHz")));
            one.put("cacheSize", number(info.get("cache size")));
            one.put("flags", List.of(info.getOrDefault("flags", "").split(" ")));
            one.put("microcode", info.getOrDefault("microcode", ""));
            all.add(one);
        }
        return all;
    }

    private static Map<String, Object> host() {
        Map<String, String> release =
                pairsOf(readFile(Path.of("/etc/os-release")).replace('=', ':'));
        String distribution = unquoted(release.getOrDefault("ID", ""));
        long uptime = (long) decimal(read("uptime").split(" ", 2)[0]);
        var host = new LinkedHashMap<String, Object>();
        host.put("hostname", read("sys/kernel/hostname").strip());
        host.put("uptime", uptime);
        host.put("bootTime", Instant.now().getEpochSecond() - uptime);
        host.put("procs", processes());
        host.put("os", "linux");
        host.put("platform", distribution);
        host.put("platformFamily", distribution);
        host.put("platformVersion", unquoted(release.getOrDefault("VERSION_ID", "")));
        host.put("kernelVersion", System.getProperty("os.version", ""));
        host.put(
                "kernelArch",
                System.getProperty("os.arch", "").equals("amd64")
                        ? "x86_64"
                        : System.getProperty("os.arch", ""));
        host.put("virtualizationSystem", "");
        host.put("virtualizationRole", "");
        host.put("hostId", read("sys/kernel/random/boot_id").strip());
        return host;
    }

    private static long processes() {
        try (var entries = Files.list(PROC)) {
            return entries.filter(
                            entry -> Character.isDigit(entry.getFileName().toString().charAt(0)))
                    .count();
        } catch (IOException e) {
            return 0;
        }
    }

    private static Map<String, Object> disk() {
        var disk = new LinkedHashMap<String, Object>();
        disk.put("path", "/");
        try {
            FileStore root = Files.getFileStore(Path.of("/"));
            long total = root.getTotalSpace();
            long used = total - root.getUnallocatedSpace();
            disk.put("fstype", root.type());
            disk.put("total", total);
            disk.put("free", root.getUsableSpace());
            disk.put("used", used);
            disk.put("usedPercent", percent(used, used + root.getUsableSpace()));
        } catch (IOException e) {
            disk.put("fstype", "");
            disk.put("total", 0);
            disk.put("free", 0);
            disk.put("used", 0);
            disk.put("usedPercent", 0.0);
        }
        disk.put("inodesTotal", 0);
        disk.put("inodesUsed", 0);
        disk.put("inodesFree", 0);
        disk.put("inodesUsedPercent", 0.0);
        return disk;
    }

    private static double percent(long part, long whole) {
        return whole == 0 ? 0 : part * 100.0 / whole;
    }

    private static long bytes(Map<String, String> info, String name) {
        return number(info.get(name)) * 1024;
    }

    /** The number at the beginning of a text; 0 when there is none. */
    private static long number(@Nullable String text) {
        long number = 0;
        for (int at = 0; text != null && at < text.length(); at++) {
            int digit = text.charAt(at) - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            number = number * 10 + digit;
        }
        return number;
    }

    private static double decimal(@Nullable String text) {
        try {
            return text == null ? 0 : Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static String unquoted(String text) {
        return text.replace("\"", "");
    }

    private static Map<String, String> pairs(String file) {
        return pairsOf(read(file));
    }

    private static Map<String, String> pairsOf(String text) {
        var pairs = new LinkedHashMap<String, String>();
        for (String line : text.split("\n", -1)) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                pairs.put(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
            }
        }
        return pairs;
    }

    private static String read(String file) {
        return readFile(PROC.resolve(file));
    }

    private static String readFile(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }
}
