"""The benchmarks: dockerproxy beside nginx, haproxy, Caddy and an idiomatic aiohttp proxy, in one run on this machine.

Parts, in the direction of their calls:

    cli            arguments -> Plan -> a run or a page
    run            one scenario after the other, and what came of them
    page, plot     docs/performance.md and its picture, from a result
    report         results as tables, as text and as JSON
    bars           which of the budgets hold
    scenarios/     what is measured
      figures, rig   a scenario's rows; the proxies under test, side by side
      fleet          the process with the embedded engine (fleet_process is what runs in it)
    peers          the proxies: whether they are here, and how they are started
    origin         nginx as the upstream
    serving        other upstreams, in processes: echo_process answers WebSocket messages, events_process streams
    wrk, clients   the load: wrk for small answers, own clients for the rest; loop drives them
    cpu, cores     what a process tree has used; which core is whose
    process, ports, browser, plan, errors

Everything stays on 127.0.0.1, and every process that is started is ended by its number.
"""
