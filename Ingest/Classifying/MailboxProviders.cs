using System.Collections.Frozen;

namespace Smtp2GoIngest.Classifying;

/// <summary>The mail servers and domains of mailbox providers. A suffix covers all names that end in it.</summary>
internal static class MailboxProviders
{
    public const string Version = "1";
    public const string Date = "2026-11-26";
    public const string Source = "the providers' documentation of their MX records, and the domains that they offer addresses in";

    private static readonly (string Provider, string Suffixes)[] Table =
    [
        ("gmail", "google.com googlemail.com gmail.com"),
        ("microsoft365", "mail.protection.outlook.com mx.microsoft mail.protection.partner.outlook.cn mail.protection.office365.us"),
        ("outlook.com",
            "olc.protection.outlook.com hotmail.com outlook.com live.com msn.com windowslive.com passport.com hotmail.co.uk hotmail.fr "
            + "hotmail.de hotmail.it hotmail.es hotmail.be hotmail.nl hotmail.se hotmail.no hotmail.dk hotmail.ch hotmail.at hotmail.ca "
            + "hotmail.com.au hotmail.com.br hotmail.com.ar hotmail.co.jp outlook.de outlook.fr outlook.it outlook.es outlook.be "
            + "outlook.dk outlook.pt outlook.ie outlook.jp outlook.kr outlook.in outlook.sa outlook.at outlook.com.au outlook.com.br "
            + "live.co.uk live.fr live.de live.it live.nl live.be live.se live.no live.dk live.ca live.cn live.jp live.com.au live.com.mx "
            + "live.com.pt live.ie live.at"),
        ("yahoo",
            "yahoodns.net yahoo.com ymail.com rocketmail.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.in "
            + "yahoo.co.in yahoo.co.id yahoo.com.au yahoo.com.br yahoo.com.ar yahoo.com.mx yahoo.com.ph yahoo.com.sg yahoo.com.vn "
            + "yahoo.com.tw yahoo.com.hk yahoo.ie yahoo.gr yahoo.pl yahoo.ro yahoo.se yahoo.no yahoo.dk yahoo.co.nz yahoo.co.za "
            + "myyahoo.com aol.com aol.de aol.fr aol.co.uk aim.com verizon.net netscape.net"),
        ("icloud", "icloud.com me.com mac.com privaterelay.appleid.com"),
        ("proton", "protonmail.ch protonmail.com proton.me proton.ch pm.me"),
        ("zoho", "zoho.com zoho.eu zoho.in zoho.com.au zoho.com.cn zoho.jp zohocloud.ca zohomail.com zohomail.eu zohomail.in"),
        ("fastmail", "messagingengine.com fastmail.com fastmail.fm"),
        ("gmx", "gmx.net gmx.de gmx.at gmx.ch gmx.com gmx.fr gmx.co.uk gmx.org web.de mail.com caramail.com"),
        ("ionos", "kundenserver.de ionos.com ionos.de ionos.co.uk ionos.fr ionos.es ionos.it perfora.net 1and1.com 1and1.co.uk"),
        ("t-online", "t-online.de magenta.de"),
        ("yandex", "yandex.ru yandex.net yandex.com yandex.by yandex.kz yandex.ua ya.ru"),
        ("mail.ru", "mail.ru bk.ru list.ru inbox.ru internet.ru vk.com"),
        ("tencent", "qq.com foxmail.com"),
        ("netease", "netease.com 163.com 126.com yeah.net"),
        ("naver", "naver.com"),
        ("orange", "orange.fr wanadoo.fr"),
        ("free", "free.fr proxad.net"),
        ("laposte", "laposte.net"),
        ("libero", "libero.it virgilio.it iol.it"),
        ("wp", "wp.pl o2.pl"),
        ("seznam", "seznam.cz email.cz"),
        ("comcast", "comcast.net"),
        ("bt", "btinternet.com"),
        ("ovh", "ovh.net ovh.ca"),
        ("godaddy", "secureserver.net"),
        ("rackspace", "emailsrvr.com"),
        ("cloudflare", "mx.cloudflare.net"),
        ("mimecast", "mimecast.com mimecast.co.za mimecast-offshore.com"),
        ("proofpoint", "pphosted.com ppe-hosted.com gpphosted.com ppops.net"),
        ("barracuda", "barracudanetworks.com cudamail.com"),
        ("cisco", "iphmx.com"),
        ("trendmicro", "trendmicro.com trendmicro.eu trendmicro.co.jp"),
        ("broadcom", "messagelabs.com messagelabs.net"),
        ("forcepoint", "mailcontrol.com"),
        ("sophos", "hydra.sophos.com reflexion.net"),
        ("hornetsecurity", "hornetsecurity.com antispameurope.com hornetdmarc.com"),
        ("spamexperts", "antispamcloud.com spamexperts.com"),
        ("mailchannels", "mailchannels.net"),
    ];

    /// <summary>Each suffix and its provider, whatever its case.</summary>
    public static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Table
        .SelectMany(row => row.Suffixes.Split(' '), (row, suffix) => KeyValuePair.Create(suffix, row.Provider))
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase)
        .GetAlternateLookup<ReadOnlySpan<char>>();
}
